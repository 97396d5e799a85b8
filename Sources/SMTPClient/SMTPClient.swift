// The SMTPClient target.
