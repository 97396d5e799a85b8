"""A Dovecot of our own: its configuration, sockets and mail in one folder, its port on loopback."""

import os
import pwd
import shutil
import subprocess

import gateway

# Debian's own for such; Dovecot serves nobody's mail as root.
OWNER = "mail"

CONFIGURATION = """\
base_dir = {folder}/run
state_dir = {folder}/run
log_path = {folder}/dovecot.log
protocols = imap
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
default_login_user = dovenull
first_valid_uid = 1
mail_location = maildir:{folder}/mail/%n/Maildir
auth_username_format = %n
passdb {{
  driver = static
  args = password=pass
}}
userdb {{
  driver = static
  args = uid={owner} gid={owner} home={folder}/mail/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
"""


class Dovecot:
    """Serves `user` with the password `pass`, while entered."""

    def __init__(self, folder):
        self.folder = folder
        self.port = gateway.free_port()
        self.config = os.path.join(folder, "dovecot.conf")

    def maildir(self, user):
        return os.path.join(self.folder, "mail", user, "Maildir")

    def __enter__(self):
        os.chmod(self.folder, 0o755)
        for name in ("run", "mail"):
            os.makedirs(os.path.join(self.folder, name), exist_ok=True)
        self.own()
        with open(self.config, "w") as file:
            file.write(CONFIGURATION.format(folder=self.folder, owner=OWNER, port=self.port))
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", self.config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            gateway.wait_for_port(self.port)
        except BaseException as error:
            self.__exit__()
            raise RuntimeError(f"Dovecot did not start: {self.log()}") from error
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)

    def log(self):
        try:
            with open(os.path.join(self.folder, "dovecot.log"), errors="replace") as file:
                return file.read()
        except OSError:
            return ""

    def own(self):
        """The mail belongs to the user that reads it."""
        owner = pwd.getpwnam(OWNER)
        for folder, _, names in os.walk(os.path.join(self.folder, "mail")):
            for name in [".", *names]:
                os.chown(os.path.join(folder, name), owner.pw_uid, owner.pw_gid, follow_symlinks=False)

    def take(self, maildir, user):
        """Puts that Maildir in the place of the user's."""
        shutil.rmtree(self.maildir(user), ignore_errors=True)
        shutil.copytree(maildir, self.maildir(user), symlinks=True)
        self.own()
