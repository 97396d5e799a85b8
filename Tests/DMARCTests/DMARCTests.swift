// Tests of DMARC.
