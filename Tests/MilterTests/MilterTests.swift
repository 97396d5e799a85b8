// Tests of Milter.
