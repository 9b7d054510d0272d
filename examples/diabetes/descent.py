"""Gradient descent that leaves a checkpoint, as an operator of `descent.flow`."""

import json
import os
import signal
from typing import Optional

import numpy as np
import pyarrow as pa

import flowlang


def descend(patients: pa.Table, epochs: int, rate: float, killed_at: Optional[int]) -> list:
    features = np.column_stack([patients[name].to_numpy() for name in ("bmi", "pressure", "ltg")]).astype(float)
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    label = patients["progress"].to_numpy()
    label = (label - label.mean()) / label.std()

    saved = flowlang.checkpoint() / "state.json"
    epoch, weights = 0, np.zeros(features.shape[1])
    if saved.exists():
        state = json.loads(saved.read_text())
        epoch, weights = state["epoch"], np.array(state["weights"])
    flowlang.log(f"attempt {flowlang.attempt()} begins with epoch {epoch + 1}")

    while epoch < epochs:
        error = features @ weights - label
        weights -= rate * features.T @ error / len(label)
        epoch += 1
        flowlang.progress(epoch, epochs)
        flowlang.metric("loss", float(error @ error) / len(label))
        if epoch % 10 == 0:
            # Under another name first: a file that is half written is no checkpoint.
            draft = saved.with_suffix(".new")
            draft.write_text(json.dumps({"epoch": epoch, "weights": weights.tolist()}))
            os.replace(draft, saved)
        if epoch == killed_at and flowlang.attempt() == 1:
            os.kill(os.getpid(), signal.SIGKILL)
    return [round(weight, 6) for weight in weights.tolist()]
