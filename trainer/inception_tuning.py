"""Teach the last blocks of Inception v3 the shop's own categories."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from artifacts.arrays import unit_rows
from artifacts.progress import Progress
from trainer.images_config import FineTuneConfig
from trainer.inception import FixedBatch, Model, load_keras
from trainer.inception_lesson import Batch, Lesson
from trainer.projection import Projection, principal_components

SCALE = 20.0
"""Cosines of a picture with the classes are multiplied by this before the softmax: a temperature of
0.05, as in Zhai and Wu 2019, "Classification is a strong baseline for deep metric learning"."""


@dataclass(frozen=True, slots=True)
class Training:
    """How one stage of fine-tuning went.

    Attributes:
        epochs: passes made.
        accuracy: share of held-out pictures in the right class afterwards; None without any.
    """

    epochs: int
    accuracy: float | None


@dataclass(frozen=True, slots=True)
class Tuning:
    """What fine-tuning came to: the bottleneck, both stages, and what they saw.

    Attributes:
        bottleneck: learned reduction.
        head: first stage.
        blocks: second stage.
        pictures: learned from.
        heldout: that training was stopped by.
    """

    bottleneck: Projection
    head: Training
    blocks: Training
    pictures: int
    heldout: int


def tune(
    tail: Model, lesson: Lesson, config: FineTuneConfig, *, dimensions: int, progress: Progress
) -> Tuning:
    """Train a head on the last blocks, and then the blocks with it; `tail` is changed in place.

    The head is the bottleneck, a layer of `dimensions` that starts as the principal components, and
    cosines with one unit vector a class, which start as the means of the classes (Qi et al. 2018,
    "Low-shot learning with imprinted weights"). The normalisation layers of the blocks stand
    still with the statistics that they came with: those of small batches would spoil them.

    Args:
        tail: the last blocks, from the inputs of `lesson` to 2,048 features.
        lesson: what is learned from, and what training is stopped by.
        config: rates, epochs, patience and seed.
        dimensions: of the bottleneck.
        progress: gets a step an epoch.

    Cost: an epoch of the blocks is about three times one pass of them over the pictures.
    """
    keras = load_keras()
    pooled = lesson.through(FixedBatch(tail, config.batch))
    head = _build_head(pooled, dimensions)
    progress.start("train head", total=config.head_epochs)
    stage = _Stage(head, config.head_rate, config.head_epochs)
    head_training = _train(stage, pooled, config, progress)
    _freeze_normalisation(tail)
    inputs = keras.Input(lesson.inputs.shape[2:])
    whole = keras.Model(inputs, head(tail(inputs)))
    progress.start("train blocks", total=config.epochs)
    stage = _Stage(whole, config.rate, config.epochs)
    blocks_training = _train(stage, lesson, config, progress)
    kernel, bias = head.get_layer("bottleneck").get_weights()
    return Tuning(
        bottleneck=Projection(np.ascontiguousarray(kernel), bias),
        head=head_training,
        blocks=blocks_training,
        pictures=len(lesson.inputs),
        heldout=len(lesson.heldout_inputs),
    )


def _freeze_normalisation(tail: Model) -> None:
    # Calling the part with training=False is not enough: a model around it hands its own mode down.
    for layer in tail.layers:
        if isinstance(layer, load_keras().layers.BatchNormalization):
            layer.trainable = False


def _build_head(pooled: Lesson, dimensions: int) -> Model:
    keras = load_keras()
    features = pooled.inputs.reshape(-1, pooled.inputs.shape[-1])
    classes = np.repeat(pooled.classes, pooled.inputs.shape[1])
    start = principal_components([features], dimensions)
    names = int(max(classes.max(), pooled.heldout_classes.max(initial=0))) + 1
    means = np.zeros((names, start.components.shape[1]), dtype=np.float32)
    np.add.at(means, classes, start.apply(features))
    head = keras.Sequential(
        [
            keras.Input((features.shape[1],)),
            keras.layers.UnitNormalization(),
            keras.layers.Dense(means.shape[1], name="bottleneck"),
            keras.layers.UnitNormalization(),
            keras.layers.Dense(
                names,
                use_bias=False,
                kernel_constraint=keras.constraints.UnitNorm(axis=0),
                name="classes",
            ),
            keras.layers.Rescaling(SCALE),
        ]
    )
    head.get_layer("bottleneck").set_weights([start.components, start.offset])
    head.get_layer("classes").set_weights([unit_rows(means).T])
    return head


@dataclass(frozen=True, slots=True)
class _Stage:
    model: Model
    rate: float
    epochs: int


def _train(stage: _Stage, lesson: Lesson, config: FineTuneConfig, progress: Progress) -> Training:
    """Fit one stage; keep the weights of the best epoch, or those before it if none was better."""
    keras = load_keras()
    model, epochs = stage.model, 0
    model.compile(
        optimizer=keras.optimizers.Adam(stage.rate),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    if stage.epochs:
        before = model.get_weights(), _heldout_loss(model, lesson, config.batch)
        losses = _fit(stage, lesson, config, progress)
        epochs = len(losses)
        # Written so that a loss which is no number counts as no better.
        if not any(loss < before[1] for loss in losses):
            model.set_weights(before[0])
    training = Training(epochs, _accuracy(model, lesson, config.batch))
    accuracy = "" if training.accuracy is None else f", held-out accuracy {training.accuracy:.3f}"
    progress.finish(f"{training.epochs} epochs{accuracy}")
    return training


def _fit(stage: _Stage, lesson: Lesson, config: FineTuneConfig, progress: Progress) -> list[float]:
    """Return the held-out loss of every epoch, the training loss where nothing is held out."""
    keras = load_keras()
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=lambda *_: progress.advance())]
    options: dict[str, Any] = {}
    if len(lesson.heldout_inputs):
        options["validation_data"] = _heldout(lesson)
        options["validation_batch_size"] = config.batch
        stop = keras.callbacks.EarlyStopping(patience=config.patience, restore_best_weights=True)
        callbacks.append(stop)
    history = stage.model.fit(
        lesson.batches(config.batch, np.random.default_rng(config.seed)),
        steps_per_epoch=lesson.steps(config.batch),
        epochs=stage.epochs,
        shuffle=False,  # each pass is shuffled already
        verbose=0,
        callbacks=callbacks,
        **options,
    ).history
    losses: list[float] = history.get("val_loss", history["loss"])
    return losses


def _heldout(lesson: Lesson) -> tuple[Batch, Batch]:
    return lesson.heldout_inputs.astype(np.float32), lesson.heldout_classes


def _heldout_loss(model: Model, lesson: Lesson, batch: int) -> float:
    if not len(lesson.heldout_inputs):
        return float("inf")
    return float(model.evaluate(*_heldout(lesson), batch_size=batch, verbose=0))


def _accuracy(model: Model, lesson: Lesson, batch: int) -> float | None:
    if not len(lesson.heldout_inputs):
        return None
    logits = FixedBatch(model, batch)(lesson.heldout_inputs)
    return float((logits.argmax(axis=1) == lesson.heldout_classes).mean())
