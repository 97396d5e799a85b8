"""What stands in the manual is so: every command line parses, links lead somewhere, manual pages have no faults, and the
shells take the completion scripts."""

import glob
import json
import os
import re
import shlex
import subprocess
import unittest

import gateway

ROOT = gateway.ROOT
PAGES = ["README.md", "SECURITY.md", "policies/README.md"] + sorted(
    os.path.relpath(path, ROOT) for path in glob.glob(os.path.join(ROOT, "contrib", "docs", "*.md")))


def command_lines(text):
    """(line number, words) of every `postern …` in code, inline or in a block."""
    fenced, language = False, ""
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced, language = not fenced, line.strip("` ")
            continue
        if fenced:
            if language not in ("", "sh", "bash", "console"):
                continue
            match = re.match(r"\s*(?:[$#] )?(?:sudo )?(?:su-exec \S+ )?(postern .*)", line)
            found = [match.group(1)] if match else []
        else:
            found = [part for part in re.findall(r"`([^`]+)`", line) if part.startswith("postern ")]
        for part in found:
            yield number, words(part)


def words(text):
    """Up to a comment, a pipe or an ellipsis; brackets mark what may be left out."""
    text = re.sub(r"[\[\]]", "", re.split(r"\s#|\s\||…|\s>|\s&&|;", text)[0])
    return shlex.split(text)


class Commands(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        status, output = gateway.run_to_end("--experimental-dump-help")
        assert status == 0, output
        cls.root = json.loads(output)["command"]

    def fault(self, line):
        """What is wrong with a command line; None when it parses."""
        command, rest, path = self.root, line[1:], "postern"
        while rest and not rest[0].startswith("-"):
            inner = {one["commandName"]: one for one in command.get("subcommands", [])}
            if rest[0] not in inner:
                break
            command, path, rest = inner[rest[0]], f"{path} {rest[0]}", rest[1:]
        if command.get("defaultSubcommand"):
            command = next(one for one in command["subcommands"] if one["commandName"] == command["defaultSubcommand"])
        arguments = command.get("arguments", [])
        options = {("--" if name["kind"] == "long" else "-") + name["name"]: one for one in arguments for name in one.get("names") or []}
        positional = [one for one in arguments if one["kind"] == "positional"]
        if command.get("subcommands") and rest and not rest[0].startswith("-") and not positional:
            return f"{path} has no subcommand {rest[0]}"
        given, passing = 0, path == "postern sendmail"
        while rest and not passing:
            word = rest.pop(0)
            if word.startswith("-") and len(word) > 1:
                name, _, value = word.partition("=")
                if name not in options:
                    return f"{path} has no option {name}"
                if options[name]["kind"] == "option" and not value:
                    if not rest:
                        return f"{path} {name} lacks its value"
                    rest.pop(0)
            else:
                given += 1
        if given > len(positional) and not any(one["isRepeating"] for one in positional):
            return f"{path} takes {len(positional)} arguments, not {given}"
        return None

    def test_every_command_line_of_the_manual_parses(self):
        faults, count = [], 0
        for page in PAGES:
            with open(os.path.join(ROOT, page)) as file:
                for number, line in command_lines(file.read()):
                    count += 1
                    fault = self.fault(line)
                    if fault:
                        faults.append(f"{page}:{number}: {fault}")
        self.assertEqual(faults, [])
        self.assertGreater(count, 50)

    def test_the_check_itself_finds_faults(self):
        for line, word in (("postern serv", "serv"), ("postern queue list --colour", "--colour"), ("postern check --config", "--config"), ("postern dkim new a.example b.example", "arguments")):
            self.assertIn(word, self.fault(line.split()) or "")

    def test_help_of_every_command(self):
        def walk(command, path):
            yield path
            for one in command.get("subcommands", []):
                if one["commandName"] != "help":
                    yield from walk(one, path + [one["commandName"]])
        for path in walk(self.root, []):
            status, output = gateway.run_to_end("help", *path)
            self.assertEqual(status, 0, (path, output))
            self.assertIn("USAGE: postern", output)


class Links(unittest.TestCase):
    def test_links_lead_somewhere(self):
        broken = []
        for page in PAGES:
            folder = os.path.dirname(os.path.join(ROOT, page))
            with open(os.path.join(ROOT, page)) as file:
                text = file.read()
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if not target.startswith(("http:", "https:", "mailto:")) and not os.path.exists(os.path.join(folder, target)):
                    broken.append(f"{page}: {target}")
        self.assertEqual(broken, [])

    def test_the_index_names_every_page(self):
        with open(os.path.join(ROOT, "contrib/docs/README.md")) as file:
            index = file.read()
        pages = [os.path.basename(page) for page in PAGES if page.startswith("contrib/docs/")]
        self.assertEqual([page for page in pages if page != "README.md" and f"({page})" not in index], [])


class ManualPages(unittest.TestCase):
    def test_they_have_no_faults(self):
        with gateway.temporary_folder() as folder:
            subprocess.run([os.path.join(ROOT, "contrib/man/pages"), folder, "--program", gateway.binary("postern")], check=True, capture_output=True, timeout=120)
            pages = sorted(glob.glob(folder + "/*"))
            self.assertIn("postern.toml.5", [os.path.basename(page) for page in pages])
            lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", *pages], capture_output=True, text=True, timeout=120)
            self.assertEqual((lint.returncode, lint.stdout + lint.stderr), (0, ""))
            for page in pages:
                shown = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", page], capture_output=True, text=True, timeout=60,
                                       env={**os.environ, "LC_ALL": "C.UTF-8", "MANPAGER": "cat"})
                self.assertEqual((shown.returncode, shown.stderr), (0, ""), page)
                self.assertIn("NAME", shown.stdout)


class Completions(unittest.TestCase):
    def script(self, shell):
        status, output = gateway.run_to_end("--generate-completion-script", shell)
        self.assertEqual(status, 0, output)
        return output

    def run_in(self, shell, text, folder):
        path = os.path.join(folder, "bin")
        os.makedirs(path, exist_ok=True)
        if not os.path.exists(path + "/postern"):
            os.symlink(gateway.binary("postern"), path + "/postern")
        done = subprocess.run([shell, "-c", text], capture_output=True, text=True, timeout=60, cwd=folder,
                              env={**os.environ, "PATH": path + ":" + os.environ["PATH"], "HOME": folder, "XDG_CONFIG_HOME": folder})
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_bash(self):
        with gateway.temporary_folder() as folder:
            with open(folder + "/c", "w") as file:
                file.write(self.script("bash"))
            said = self.run_in("bash", "set -e; source ./c; COMP_WORDS=(postern que); COMP_CWORD=1; COMP_LINE='postern que'; COMP_POINT=11; COMP_TYPE=9; _postern postern que postern; printf '%s\\n' \"${COMPREPLY[@]}\"", folder)
            self.assertEqual(said.split(), ["queue"])

    def test_zsh(self):
        with gateway.temporary_folder() as folder:
            with open(folder + "/_postern", "w") as file:
                file.write(self.script("zsh"))
            said = self.run_in("zsh", "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D; whence -w _postern; print ${_comps[postern]}; autoload +X _postern", folder)
            self.assertEqual(said.split(), ["_postern:", "function", "_postern"])

    def test_fish(self):
        with gateway.temporary_folder() as folder:
            with open(folder + "/c.fish", "w") as file:
                file.write(self.script("fish"))
            said = self.run_in("fish", "source c.fish; complete -C 'postern que'; complete -C 'postern queue li'", folder)
            self.assertEqual([line.split("\t")[0] for line in said.splitlines()], ["queue", "list"])


if __name__ == "__main__":
    unittest.main()
