import InternetMessage
import NetworkAddress
import PosternDaemon

/// The settings file of a new server, with a word on each setting that a person will want to change.
struct SettingsTemplate {
    let request: SetupRequest

    init(_ request: SetupRequest) { self.request = request }

    /// In front of what only holds when it was asked for.
    private var acme: String { request.usesACME ? "" : "#" }

    var text: String {
        """
        # Settings of postern, written by `postern setup \(request.domain.text)`. What is not here has its default: `postern config reference`
        # explains every setting, `postern config show` prints the values in force. After a change:
        #   postern check && systemctl reload postern          (without systemd: kill -HUP)

        # The server's own name: in its greeting, in EHLO, in Received. The name's address record, the address's PTR record and
        # the certificate say the same.
        myhostname = \(request.hostname.text.tomlText)
        # Where the world reaches this server; for `postern dns records` and `postern dns check`.
        public_addresses = \(request.addresses.map(\.description).tomlText)
        # Domains whose mail is delivered here. Their recipients are the accounts' addresses: `postern account list`.
        mydestination = [\(request.domain.text.tomlText)]
        # Who gets mail for postmaster@ and abuse@.
        postmaster = \(request.account.description.tomlText)
        # alice+shop@… is delivered to alice@…
        recipient_delimiter = "+"

        # Mail, queue, accounts and DKIM keys. This is what a backup must hold, beside this folder.
        data_directory = \(request.dataDirectory.tomlText)
        # Rules, read in the order of their names: `postern policy test`.
        policy_directory = "policies"
        \(request.user.map { "# Whom the server becomes once it has its ports, when it is started as root.\nuser = \($0.tomlText)\n" } ?? "")
        # The certificate that clients see. Setup makes one that vouches for itself: mail servers take it, mail programs
        # complain. certbot's deploy hook (contrib/certbot/postern-deploy) puts the real one in its place, and it is taken up
        # at once, without a restart. Or let the server obtain and renew one from Let's Encrypt, if the world reaches its port 80
        # (acme = true: you agree to the authority's terms of service); these files serve until it is there.
        \(acme)acme = true
        \(acme)acme_email = \(request.account.description.tomlText)
        smtpd_tls_cert_file = "tls/\(request.hostname.text)/fullchain.pem"
        smtpd_tls_key_file = "tls/\(request.hostname.text)/privkey.pem"

        # Aliases, as Postfix writes them, go into a table: "sales@\(request.domain.text)" = "alice@\(request.domain.text), bob@elsewhere.example".
        # A table ends at the next one, so keep these below the settings above.
        #[virtual_aliases]

        # Ports: 25 from other servers, 587 and 465 for our users' programs, 143 and 993 IMAP, on every address.
        [listen]
        # Only beside a Postfix, which asks the filters here: "inet:localhost:12301".
        milter = ""

        """
    }
}
