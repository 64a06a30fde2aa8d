"""Networks by name: the own zoo, torchvision, timm, and your own."""
