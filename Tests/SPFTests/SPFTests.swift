// Tests of SPF.
