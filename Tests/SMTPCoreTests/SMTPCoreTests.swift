// Tests of SMTPCore.
