// The MailFilters target.
