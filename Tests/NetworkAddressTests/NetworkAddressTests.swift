// Tests of NetworkAddress.
