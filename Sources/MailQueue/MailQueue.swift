// The MailQueue target.
