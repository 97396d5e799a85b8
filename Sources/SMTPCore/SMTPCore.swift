// The SMTPCore target.
