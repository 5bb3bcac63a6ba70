"""What is known of the cluster now: typed rows, their tables and their time series. No I/O."""
