// The SMTPServer target.
