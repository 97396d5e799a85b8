// Tests of IMAPCore.
