"""What is measured of a trained model: scores, calibration, robustness, what test-time augmentation fixes and breaks, and cost."""
