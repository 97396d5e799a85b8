// The IMAPServer target.
