// Tests of Tags.
