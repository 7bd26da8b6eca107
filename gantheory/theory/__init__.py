"""From the optimal discriminator of a loss to what it reports and follows: the mathematics."""
