"""Real GANs, trained in torch and measured against the theory."""
