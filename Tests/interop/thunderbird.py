"""Drives a Thunderbird without a window, by its own Marionette protocol: JavaScript in the program's chrome."""

import json
import os
import socket
import subprocess
import time

import gateway


class Thunderbird:
    """With a profile of its own, for as long as the block runs."""

    def __init__(self, folder):
        self.profile = os.path.join(folder, "profile")
        os.mkdir(self.profile)
        self.port = gateway.free_port()
        preferences = {
            "marionette.port": self.port, "mail.provider.suppress_dialog_on_startup": True, "mail.spotlight.firstRunDone": True,
            "mail.winsearch.firstRunDone": True, "app.update.enabled": False, "network.proxy.type": 0, "mailnews.start_page.enabled": False,
            "mail.rights.version": 1, "datareporting.policy.dataSubmissionEnabled": False, "toolkit.telemetry.enabled": False,
            "mail.shell.checkDefaultClient": False, "mail.server.default.check_all_folders_for_new": False, "mail.biff.play_sound": False,
            "network.captive-portal-service.enabled": False, "network.connectivity-service.enabled": False, "browser.safebrowsing.downloads.remote.enabled": False,
            "extensions.update.enabled": False, "mail.chat.enabled": False, "calendar.timezone.useSystemTimezone": True, "browser.cache.disk.enable": False}
        with open(os.path.join(self.profile, "user.js"), "w") as file:
            for name, value in preferences.items():
                file.write(f"user_pref({json.dumps(name)}, {json.dumps(value)});\n")
        self.log = open(os.path.join(folder, "thunderbird.log"), "wb")
        self.ids = 0

    def __enter__(self):
        environment = dict(os.environ, HOME=self.profile, MOZ_HEADLESS="1", MOZ_CRASHREPORTER_DISABLE="1")
        self.process = subprocess.Popen(
            ["thunderbird", "--headless", "--no-remote", "--profile", self.profile, "--marionette", "--remote-allow-system-access"],
            env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        try:
            gateway.wait_for_port(self.port, 60)
            self.socket = socket.create_connection(("127.0.0.1", self.port), 30)
            self.buffer = b""
            self.receive()
            self.command("WebDriver:NewSession", {"capabilities": {}})
            self.command("Marionette:SetContext", {"value": "chrome"})
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        if hasattr(self, "socket"):
            self.socket.close()
        self.log.close()

    def receive(self):
        """A packet is its length, a colon and JSON."""
        while b":" not in self.buffer:
            self.buffer += self.read()
        length, _, self.buffer = self.buffer.partition(b":")
        while len(self.buffer) < int(length):
            self.buffer += self.read()
        packet, self.buffer = self.buffer[:int(length)], self.buffer[int(length):]
        return json.loads(packet)

    def read(self):
        got = self.socket.recv(65536)
        if not got:
            raise ConnectionError("Thunderbird ended")
        return got

    def command(self, name, parameters):
        self.ids += 1
        packet = json.dumps([0, self.ids, name, parameters]).encode()
        self.socket.sendall(b"%d:" % len(packet) + packet)
        _, _, error, result = self.receive()
        if error:
            raise AssertionError(f"Thunderbird: {error.get('error')}: {error.get('message')}\n{error.get('stacktrace', '')[:500]}")
        return result.get("value") if isinstance(result, dict) else result

    def run(self, script, *arguments, timeout=40):
        """Runs the body of an async function with `args`; gives what it returns."""
        self.command("WebDriver:SetTimeouts", {"script": timeout * 1000})
        self.socket.settimeout(timeout + 20)
        wrapped = f"""
            const [...all] = arguments; const done = all.pop(); const args = all;
            const {{ MailServices }} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
            (async () => {{ {script} }})().then(value => done({{ value }}), error => done({{ error: String(error) + "\\n" + error?.stack }}));"""
        result = self.command("WebDriver:ExecuteAsyncScript", {"script": wrapped, "args": list(arguments), "newSandbox": False, "sandbox": "system"})
        if "error" in result:
            raise AssertionError(f"Thunderbird: {result['error']}")
        return result.get("value")

    def wait(self, script, *arguments, timeout=30):
        """Runs the script again and again until it gives something true."""
        end = time.monotonic() + timeout
        while not (value := self.run(script, *arguments)):
            if time.monotonic() > end:
                raise TimeoutError(f"Thunderbird never came to: {script}")
            time.sleep(0.2)
        return value
