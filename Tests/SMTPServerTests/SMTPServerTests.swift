// Tests of SMTPServer.
