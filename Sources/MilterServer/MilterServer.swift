// The MilterServer target.
