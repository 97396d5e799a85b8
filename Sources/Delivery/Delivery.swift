// The Delivery target.
