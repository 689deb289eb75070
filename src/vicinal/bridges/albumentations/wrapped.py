"""What of Albumentations runs as it is, and why: nothing here does the same, or nearly."""

from __future__ import annotations

from types import MappingProxyType

_BOXES = "a window around boxes whose size depends on them"
_BORDERS = "a window whose size is drawn in shares of the picture"
_CALL = "it needs further pictures or texts at each call"
_CASTS = "it changes dtype or channels"
_VOLUMES = "it works on volumes"
_BANDS = "bands across the picture, so many pixels wide"

REASONS: MappingProxyType[str, str] = MappingProxyType({
    "AdvancedBlur": "a generalised Gaussian, turned, whose weights are noisy",
    "AtLeastOneBBoxRandomCrop": _BOXES,
    "BBoxSafeRandomCrop": _BOXES,
    "CenterCrop3D": _VOLUMES,
    "CoarseDropout3D": _VOLUMES,
    "ConstrainedCoarseDropout": "holes inside objects",
    "CubicSymmetry": _VOLUMES,
    "FDA": _CALL,
    "FancyPCA": "it stretches colours along the picture's own axes, where FancyPCA adds one colour",
    "FrequencyMasking": _BANDS,
    "FromFloat": _CASTS,
    "GridElasticDeform": "a grid whose nodes move by whole pixels",
    "HEStain": "stains of histology",
    "HistogramMatching": _CALL,
    "ISONoise": "its lightness is a Poisson count scaled by the picture's spread, where ISONoise is Gaussian",
    "Lambda": "a function of your own",
    "Morphological": "erosion and dilation",
    "Mosaic": _CALL,
    "OverlayElements": _CALL,
    "Pad3D": _VOLUMES,
    "PadIfNeeded3D": _VOLUMES,
    "PiecewiseAffine": "without any shift it is not the identity: a mean of all nodes, weighed by distance",
    "PixelDistributionAdaptation": _CALL,
    "PlanckianJitter": "gains of linear light on stored values, twice as strong as PlanckianJitter's",
    "PlasmaBrightnessContrast": "one noise for brightness and contrast, whose mean changes as well",
    "RandomCrop3D": _VOLUMES,
    "RandomCropFromBorders": _BORDERS,
    "RandomCropNearBBox": _BOXES,
    "RandomGravel": "no gravel",
    "RandomFog": "as many white discs as the canvas asks for, where Fog draws to one colour",
    "RandomRain": "as many drops as a third of the height, where Rain counts drops to an area",
    "RandomSizedCrop": "a window so many pixels high, where RandomResizedCrop counts in shares",
    "RandomSnow": "it multiplies what is dark and jumps where it is not, where Snow keeps the order of tones",
    "RandomSunFlare": "a sun so many pixels large, where SunFlare counts in shares",
    "RingingOvershoot": "a sinc filter",
    "SafeRotate": "it shrinks by what the angle and the canvas need",
    "SelectiveChannelTransform": "operations on some channels",
    "Spatter": "drops so many pixels large, where Spatter counts in shares",
    "TextImage": _CALL,
    "ThinPlateSpline": "its points are fitted by one law and joined by another, which bends about three times as far",
    "TimeMasking": _BANDS,
    "ToFloat": _CASTS,
    "ToRGB": _CASTS,
    "ToTensor3D": _VOLUMES,
    "XYMasking": _BANDS,
})  # fmt: skip
