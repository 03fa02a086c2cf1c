"""List the classes that a configuration may name: rooms of this program and parts of two others.

What is not here cannot be imported by a value, so a list that ages refuses too much, never too
little. A part is on the list when it neither takes a function nor reads checkpoints by itself.
"""

# Every class below these modules; functions are refused wherever they stand.
ROOMS = (
    "data_modules",
    "lsemvae.callbacks",
    "lsemvae.core.tasks.Thresholds",
    "lsemvae.models",
    "lsemvae.nn",
    "lsemvae.tasks",
    "torch.optim",
)

# Package -> module below it -> its classes, under the short and the long name.
PARTS = {
    "lightning.pytorch.callbacks": {
        "batch_size_finder": ("BatchSizeFinder",),
        "device_stats_monitor": ("DeviceStatsMonitor",),
        "early_stopping": ("EarlyStopping",),
        "gradient_accumulation_scheduler": ("GradientAccumulationScheduler",),
        "lr_finder": ("LearningRateFinder",),
        "lr_monitor": ("LearningRateMonitor",),
        "model_checkpoint": ("ModelCheckpoint",),
        "model_summary": ("ModelSummary",),
        "on_exception_checkpoint": ("OnExceptionCheckpoint",),
        "progress.rich_progress": ("RichProgressBar",),
        "progress.tqdm_progress": ("TQDMProgressBar",),
        "rich_model_summary": ("RichModelSummary",),
        "timer": ("Timer",),
    },
    "lightning.pytorch.loggers": {
        "csv_logs": ("CSVLogger",),
        "tensorboard": ("TensorBoardLogger",),
    },
    "lightning.pytorch.plugins": {
        "layer_sync": ("TorchSyncBatchNorm",),
        "precision.amp": ("MixedPrecision",),
        "precision.double": ("DoublePrecision",),
        "precision.half": ("HalfPrecision",),
    },
    "lightning.fabric.plugins.environments": {
        "lightning": ("LightningEnvironment",),
        "slurm": ("SLURMEnvironment",),
        "torchelastic": ("TorchElasticEnvironment",),
    },
    "lightning.pytorch.profilers": {
        "advanced": ("AdvancedProfiler",),
        "base": ("PassThroughProfiler",),
        "simple": ("SimpleProfiler",),
    },
    "lightning.pytorch.strategies": {
        "ddp": ("DDPStrategy",),
        "single_device": ("SingleDeviceStrategy",),
    },
}
# Classes that their package passes on from another one.
PASSED_ON = tuple(
    f"lightning.pytorch.plugins.environments.{name}"
    for names in PARTS["lightning.fabric.plugins.environments"].values()
    for name in names
)


def allowed_paths() -> list[str]:
    """Return every path that a value may name; the classes below a room are allowed with it."""
    parts = [
        path
        for package, modules in PARTS.items()
        for module, names in modules.items()
        for name in names
        for path in (f"{package}.{name}", f"{package}.{module}.{name}")
    ]
    return [*ROOMS, *parts, *PASSED_ON]
