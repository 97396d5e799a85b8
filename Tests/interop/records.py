"""Asks postern for its records."""

import json

import gateway


def explain(config, message_id):
    """(status, text)"""
    return gateway.run_to_end("explain", "--config", config, message_id)


def explained(config, message_id, condition=lambda text: True):
    """The story, when it is written and the condition holds: records are written within a second, deliveries later."""
    last = []

    def told():
        status, text = explain(config, message_id)
        last[:] = [status, text]
        return status == 0 and condition(text)
    gateway.wait_until(told, 60, lambda: f"postern explain {message_id}: {last}")
    return last[1]


def replay(config, *arguments):
    """(status, report)"""
    status, text = gateway.run_to_end("policy", "replay", "--config", config, "--json", *arguments, timeout=300)
    return status, json.loads(text[text.index("{"):])
