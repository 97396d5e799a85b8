// Tests of MilterServer.
