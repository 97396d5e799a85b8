// The MailStore target.
