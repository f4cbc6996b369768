"""OpenCV's HoughCircles, with its parameters as keyword arguments: see circles.toml."""
import cv2


def find(frame, sigma=2.0, dp=1.0, param1=100, param2=30):
    """The best circle, or None."""
    blurred = cv2.GaussianBlur(frame, (0, 0), sigma)
    found = cv2.HoughCircles(blurred, cv2.HOUGH_GRADIENT, dp, 1e5, param1=param1, param2=param2)
    return None if found is None else found[0, 0]
