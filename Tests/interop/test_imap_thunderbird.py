"""Thunderbird, unmodified and without a window, on an account: it lists, reads, flags, moves and deletes, and hears by IDLE of
what others do."""

import unittest

import gateway
import mailbox
from mailbox import ok
from thunderbird import Thunderbird

USER, PASSWORD = gateway.ACCOUNTS[0]

CONNECT = """
    // The test's certificate is its own issuer.
    Cc["@mozilla.org/security/certoverride;1"].getService(Ci.nsICertOverrideService).setDisableAllSecurityChecksAndLetAttackersInterceptMyData(true);
    const [user, password, port] = args;
    const server = MailServices.accounts.createIncomingServer(user, "localhost", "imap");
    server.port = port; server.socketType = Ci.nsMsgSocketType.SSL; server.authMethod = Ci.nsMsgAuthMethod.passwordCleartext;
    server.password = password; server.loginAtStartUp = false;
    const identity = MailServices.accounts.createIdentity(); identity.email = user;
    const account = MailServices.accounts.createAccount(); account.incomingServer = server; account.addIdentity(identity);
    MailServices.accounts.defaultAccount = account;
    server.performExpand(null);
    return true;"""

# What every script begins with.
FOLDERS = """
    const server = MailServices.accounts.defaultAccount.incomingServer;
    const folder = name => name == "INBOX" ? server.rootFolder.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox) : server.rootFolder.descendants.find(f => f.name == name);
    const updated = f => new Promise((resolve, reject) => f.QueryInterface(Ci.nsIMsgImapMailFolder).updateFolderWithListener(null,
        { OnStartRunningUrl() {}, OnStopRunningUrl(url, status) { Components.isSuccessCode(status) ? resolve() : reject(new Error("status " + status)); } }));
    const messages = f => [...f.messages];
    const find = (f, subject) => messages(f).find(m => m.subject == subject);
"""


class ThunderbirdCase(unittest.TestCase):
    def test_a_mailbox(self):
        server = self.enterContext(gateway.Server())
        folder = self.enterContext(gateway.temporary_folder())
        imap = self.enterContext(mailbox.imap("127.0.0.1", server.ports["imaps"], server.folder + "/cert.pem", USER, PASSWORD))
        for word in ("one", "two", "three"):
            ok(imap.append("INBOX", None, None, f"From: a@b.example\r\nSubject: {word}\r\nMessage-ID: <{word}@t>\r\n\r\n{word} body\r\n".encode()))
        ok(imap.create("Kept"))
        ok(imap.subscribe("Kept"))
        with Thunderbird(folder) as bird:
            self.use(bird, imap, server)

    def use(self, bird, imap, server):
        bird.run(CONNECT, USER, PASSWORD, server.ports["imaps"])
        bird.wait(FOLDERS + "return !!folder('INBOX') && !!folder('Kept');")
        # The folders with a purpose have been recognised (RFC 6154).
        self.assertTrue(bird.run(FOLDERS + "return ['Sent', 'Drafts', 'Trash', 'Junk'].every(name => folder(name)?.flags & Ci.nsMsgFolderFlags.SpecialUse);"))
        bird.run(FOLDERS + "await updated(folder('INBOX'));")
        bird.wait(FOLDERS + "return messages(folder('INBOX')).length == 3;")
        self.assertEqual(sorted(bird.run(FOLDERS + "return messages(folder('INBOX')).map(m => m.subject);")), ["one", "three", "two"])
        # The whole message, as a reader sees it.
        self.assertIn("two body", bird.run(FOLDERS + """
            const message = find(folder('INBOX'), 'two'), uri = folder('INBOX').getUriForMsg(message);
            return await new Promise((resolve, reject) => {
                let text = '';
                const listener = { QueryInterface: ChromeUtils.generateQI(['nsIStreamListener']), onStartRequest() {},
                    onDataAvailable(request, stream, offset, count) {
                        const input = Cc['@mozilla.org/scriptableinputstream;1'].createInstance(Ci.nsIScriptableInputStream);
                        input.init(stream); text += input.read(count); },
                    onStopRequest(request, status) { Components.isSuccessCode(status) ? resolve(text) : reject(new Error('status ' + status)); } };
                MailServices.messageServiceFromURI(uri).streamMessage(uri, listener, null, null, false, '', false);
            });"""))
        bird.run(FOLDERS + "folder('INBOX').markMessagesFlagged([find(folder('INBOX'), 'one')], true);")
        bird.run(FOLDERS + """
            await new Promise((resolve, reject) => MailServices.copy.copyMessages(folder('INBOX'), [find(folder('INBOX'), 'two')], folder('Kept'), true,
                { QueryInterface: ChromeUtils.generateQI(['nsIMsgCopyServiceListener']), onStartCopy() {}, onProgress() {}, setMessageKey() {}, getMessageId() { return null; },
                  onStopCopy(status) { Components.isSuccessCode(status) ? resolve() : reject(new Error('status ' + status)); } }, null, false));""")
        bird.run(FOLDERS + "folder('INBOX').deleteMessages([find(folder('INBOX'), 'three')], null, false, false, null, false);")
        gateway.wait_until(lambda: self.there(imap, "INBOX") == {"one"} and self.there(imap, "Kept") == {"two"}, 30,
                           lambda: f"INBOX has {self.there(imap, 'INBOX')}, Kept {self.there(imap, 'Kept')}")
        gateway.wait_until(lambda: self.there(imap, "Trash") == {"three"}, 20, lambda: f"Trash has {self.there(imap, 'Trash')}")
        ok(imap.select("INBOX"))
        gateway.wait_until(lambda: b"\\Flagged" in ok(imap.fetch("1", "(FLAGS)"))[0], 20, lambda: "the flag never came")
        # What others do it hears while it idles.
        ok(imap.append("INBOX", None, None, b"From: a@b.example\r\nSubject: four\r\nMessage-ID: <four@t>\r\n\r\nfour body\r\n"))
        bird.wait(FOLDERS + "return !!find(folder('INBOX'), 'four');")
        ok(imap.store("1", "-FLAGS", "\\Flagged"))
        bird.wait(FOLDERS + "return !find(folder('INBOX'), 'one').isFlagged;")
        ok(imap.store("1", "+FLAGS", "\\Deleted"))
        ok(imap.expunge())
        bird.wait(FOLDERS + "return !find(folder('INBOX'), 'one');")

    def there(self, imap, folder):
        ok(imap.select(folder))
        out = set()
        for number in ok(imap.search(None, "UNDELETED"))[0].split():
            response = imap.fetch(number, "(BODY.PEEK[HEADER.FIELDS (SUBJECT)])")
            if response[0] == "NO" and b"EXPUNGEISSUED" in response[1][0]:
                # The other client expunges meanwhile (RFC 5530): the next look tells.
                return set()
            out.add(ok(response)[0][1].decode().partition(":")[2].strip())
        return out
