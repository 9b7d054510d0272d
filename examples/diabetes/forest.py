"""A random forest of scikit-learn's, as two operators of `forest.flow`."""

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestRegressor

import flowlang

LABEL = "progress"


def fit(patients: pd.DataFrame, trees: int, seed: int) -> RandomForestRegressor:
    """Grows the forest ten trees at a time, to tell how far it is."""
    features, label = _features(patients), patients[LABEL]
    forest = RandomForestRegressor(warm_start=True, min_samples_leaf=5, random_state=seed, n_jobs=flowlang.cores())
    for grown in range(10, trees + 1, 10):
        forest.n_estimators = grown
        forest.fit(features, label)
        flowlang.progress(grown, trees)
    flowlang.metric("r2_on_training_rows", forest.score(features, label))
    return forest


def predict(model: RandomForestRegressor, patients: pd.DataFrame) -> pd.DataFrame:
    return patients.assign(forest=model.predict(_features(patients)).astype(np.float64))


def _features(patients: pd.DataFrame) -> pd.DataFrame:
    return pd.get_dummies(patients.drop(columns=LABEL), columns=["sex"], dtype=float)
