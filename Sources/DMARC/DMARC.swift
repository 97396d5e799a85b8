// The DMARC target.
