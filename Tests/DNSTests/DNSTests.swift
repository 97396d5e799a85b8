// Tests of DNS.
