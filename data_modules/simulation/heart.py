"""Describe the synthetic heart: waves of a beat with their directions, and how patients differ.

Directions are in Frank's coordinates: X to the left, Y to the feet, Z to the back. The table of
waves is set by hand, guided by normal ranges and published criteria; it is fitted to no recording.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.floating[Any]]


class Wave(NamedTuple):
    """One Gaussian wave of the beat, at a heart rate of 60 per minute.

    Args:
        delay_s: time of the peak after the R peak.
        rise_s: standard deviation of the side before the peak.
        fall_s: standard deviation of the side after the peak.
        dipole_mv: (X, Y, Z) at the peak in a healthy adult.
        rv_strain_mv: what full right-ventricular strain adds to the dipole.
        left_strain_mv: what full left-ventricular and left-atrial strain adds to the dipole.
    """

    delay_s: float
    rise_s: float
    fall_s: float
    dipole_mv: tuple[float, float, float]
    rv_strain_mv: tuple[float, float, float]
    left_strain_mv: tuple[float, float, float]


# Chosen by hand so that durations, axes, R progression and the voltage criteria of right and left
# ventricular hypertrophy (Hancock et al. 2009, J Am Coll Cardiol 53:992-1002) come out as in a
# clinical ECG; not fitted to any recording.
# Columns: delay, rise, fall; normal dipole; added by right, by left strain.
# fmt: off
WAVES = {
    "P_right": Wave(-.165, .017, .019, (.05, .10, -.04), (.01, .14, -.04), (0., 0., 0.)),
    "P_left": Wave(-.130, .019, .018, (.07, .05, .04), (0., .02, 0.), (.04, .01, .10)),
    "septal": Wave(-.026, .007, .008, (-.18, -.06, -.28), (0., 0., -.05), (.02, 0., .05)),
    "apical": Wave(-.011, .008, .008, (.35, .22, -.26), (-.10, 0., -.15), (.10, 0., .10)),
    "left_ventricle": Wave(0., .010, .011, (1.05, .60, .58), (-.70, 0., -.50), (.70, -.20, .55)),
    "right_ventricle": Wave(.008, .013, .013, (0., 0., 0.), (-.85, .20, -.55), (0., 0., 0.)),
    "basal": Wave(.020, .009, .011, (-.12, -.15, .25), (-.30, 0., -.10), (.10, -.05, .20)),
    "T": Wave(.290, .072, .040, (.38, .20, -.16), (-.08, -.12, .42), (-.36, -.08, 0.)),
}
# fmt: on
WAVE_NAMES = tuple(WAVES)
ATRIAL = [WAVE_NAMES.index("P_right"), WAVE_NAMES.index("P_left")]
QRS = [WAVE_NAMES.index(n) for n in WAVE_NAMES if n not in ("P_right", "P_left", "T")]


class PatientParameters(NamedTuple):
    """What the simulator needs to know of N patients, one entry per patient in every array.

    Args:
        heart_rate_bpm: mean heart rate, shape (N,).
        rv_strain: right-ventricular strain, 0 none to 1 marked, shape (N,).
        left_strain: left-ventricular and left-atrial strain, 0 none to 1 marked, shape (N,).
        atrial_fibrillation: whether the rhythm is atrial fibrillation, shape (N,).
        age_years: age, shape (N,).
        wave_gain: individual amplitude of each wave, 1 = as in `WAVES`, shape (N, W).
        wave_tilt: individual deviation of each wave's dipole, relative to its size, (N, W, 3).
        wave_width: individual width of each wave, 1 = as in `WAVES`, shape (N, W).
        heart_turn_rad: rotation of the whole heart in the frontal plane (positive: towards the
            feet) and in the horizontal plane (positive: towards the back), shape (N, 2).
    """

    heart_rate_bpm: FloatArray
    rv_strain: FloatArray
    left_strain: FloatArray
    atrial_fibrillation: npt.NDArray[np.bool_]
    age_years: FloatArray
    wave_gain: FloatArray
    wave_tilt: FloatArray
    wave_width: FloatArray
    heart_turn_rad: FloatArray

    def take(self, index: npt.NDArray[np.intp] | slice) -> "PatientParameters":
        """Return the chosen patients, in the order of `index`."""
        return PatientParameters._make(values[index] for values in self)


def draw_patients(
    heart_rate_bpm: FloatArray,
    *,
    rv_strain: FloatArray,
    left_strain: FloatArray,
    atrial_fibrillation: npt.NDArray[np.bool_],
    age_years: FloatArray,
    rng: np.random.Generator,
) -> PatientParameters:
    """Draw what differs between people of equal strain: position of the heart, size, widths.

    Args:
        heart_rate_bpm: as in `PatientParameters`, shape (N,); so are the next four.
        rv_strain: 0 to 1.
        left_strain: 0 to 1.
        atrial_fibrillation: the rhythm.
        age_years: age.
        rng: source of all randomness.
    """
    n, w = len(heart_rate_bpm), len(WAVES)
    body = rng.lognormal(0.0, 0.18, (n, 1))  # chest wall and body size: all waves of a patient
    return PatientParameters(
        heart_rate_bpm=heart_rate_bpm,
        rv_strain=rv_strain,
        left_strain=left_strain,
        atrial_fibrillation=atrial_fibrillation,
        age_years=age_years,
        wave_gain=body * rng.lognormal(0.0, 0.18, (n, w)),
        wave_tilt=rng.normal(0.0, 0.12, (n, w, 3)),
        wave_width=rng.lognormal(0.0, 0.05, (n, 1)) * rng.lognormal(0.0, 0.08, (n, w)),
        heart_turn_rad=np.radians(rng.normal(0.0, (16.0, 12.0), (n, 2))),
    )


def wave_dipoles(patients: PatientParameters) -> FloatArray:
    """Return each wave's dipole at its peak in mV, shape (N, W, 3)."""
    normal, rv, left = (np.array([wave[field] for wave in WAVES.values()]) for field in (3, 4, 5))
    dipoles = (
        normal + patients.rv_strain[:, None, None] * rv + patients.left_strain[:, None, None] * left
    )
    size = np.linalg.norm(dipoles, axis=-1, keepdims=True)
    dipoles = patients.wave_gain[..., None] * (dipoles + size * patients.wave_tilt)
    dipoles[:, ATRIAL] *= ~patients.atrial_fibrillation[:, None, None]
    dipoles *= (1.0 - 0.003 * (patients.age_years - 60.0))[:, None, None]
    # Chosen: with age the waves shrink a little and the frontal axis turns to the left.
    frontal = patients.heart_turn_rad[:, 0] - np.radians(0.4) * (patients.age_years - 60.0)
    return _turned(dipoles, frontal, patients.heart_turn_rad[:, 1])


def _turned(dipoles: FloatArray, frontal_rad: FloatArray, horizontal_rad: FloatArray) -> FloatArray:
    """Rotate (N, W, 3) dipoles in the X-Y plane, then in the X-Z plane, by (N,) angles."""
    zero, one = np.zeros_like(frontal_rad), np.ones_like(frontal_rad)
    c, s = np.cos(frontal_rad), np.sin(frontal_rad)
    frontal = np.array([[c, -s, zero], [s, c, zero], [zero, zero, one]])
    c, s = np.cos(horizontal_rad), np.sin(horizontal_rad)
    horizontal = np.array([[c, zero, -s], [zero, one, zero], [s, zero, c]])
    return np.asarray(np.einsum("abn,bcn,nwc->nwa", horizontal, frontal, dipoles))
