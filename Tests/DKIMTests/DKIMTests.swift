// Tests of DKIM.
