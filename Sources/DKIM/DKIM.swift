// The DKIM target.
