// Tests of MilterClient.
