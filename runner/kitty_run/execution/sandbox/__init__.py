"""The runner's own sandbox, around attempts and checks alike."""
