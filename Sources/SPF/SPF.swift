// The SPF target.
