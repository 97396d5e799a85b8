// The Accounts target.
