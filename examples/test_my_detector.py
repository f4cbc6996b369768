"""A detector under test. Run it with pytest: docs/python.md, "In pytest"."""
import cv2
import plumb


def my_detector(frame):
    _, mask = cv2.threshold(cv2.GaussianBlur(frame, (5, 5), 0), 110, 255, cv2.THRESH_BINARY)
    m = cv2.moments(mask, binaryImage=True)
    return (m["m10"] / m["m00"], m["m01"] / m["m00"]) if m["m00"] else None


def test_my_detector_is_accurate_in_noise():
    report = plumb.evaluate(my_detector, frames=300, seed=7, noise=10, radius=(10, 40), empty_rate=0.1)
    report.gate("error_px.l1.mean <= 0.1", "frames.missed == 0", "frames.false_positive == 0")
