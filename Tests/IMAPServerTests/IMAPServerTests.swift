// Tests of IMAPServer.
