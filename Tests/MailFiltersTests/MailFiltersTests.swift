// Tests of MailFilters.
