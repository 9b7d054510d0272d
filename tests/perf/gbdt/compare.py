"""Our gradient-boosted trees beside LightGBM and scikit-learn's HistGradientBoosting: same folds, trees, leaves, rate.

    pip install -r tests/perf/gbdt/requirements.txt
    python tests/perf/gbdt/compare.py [--data DIR] [--threads 1] [--only NAME ...]

Prints a Markdown table, and exits with 1 if on some set we are worse than either by more than 0.01 and by more than two
paired standard errors. Sets that DIR (default: $FLOW_DATA, else ../shared/data) lacks are named and skipped.
"""

import argparse
import csv
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import warnings

import lightgbm
import numpy
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score
from sklearn.model_selection import KFold, StratifiedKFold
from threadpoolctl import threadpool_limits

ROOT = pathlib.Path(__file__).resolve().parents[3]
TREES, LEAVES, RATE, MIN_ROWS, FOLDS, REPEATS = 100, 31, 0.1, 20, 5, 10

# name, file, target
SETS = [
    ("iris", "iris/iris.csv", "target"),
    ("wine", "wine/wine.csv", "target"),
    ("breast_cancer", "breast_cancer/breast_cancer.csv", "target"),
    ("digits", "digits/digits.csv", "target"),
    ("diabetes", "diabetes/diabetes.csv", "target"),
    ("penguins", "penguins/penguins.csv", "species"),
    ("adult", "adult/adult_train.csv", "income"),
    ("higgs_sample", "higgs_sample/higgs_sample_train.csv", "label"),
    ("diamonds", "diamonds/diamonds.csv", "price"),
]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default_data = os.environ.get("FLOW_DATA", ROOT.parent / "shared" / "data")
    parser.add_argument("--data", type=pathlib.Path, default=pathlib.Path(default_data))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[name for name, *_ in SETS])
    parser.add_argument("--binary", type=pathlib.Path, help="a built `gbdt_fold`; default: build it")
    arguments = parser.parse_args()
    binary = arguments.binary or build()
    warnings.filterwarnings("ignore", category=UserWarning)

    print("| data | rows | folds | metric | flow | LightGBM | sklearn | flow - LightGBM | flow - sklearn "
          "| fastest fit, seconds: flow | LightGBM | sklearn |")
    print("|---|--:|--:|---|--:|--:|--:|--:|--:|--:|--:|--:|")
    worse = []
    for name, file, target in SETS:
        if name not in arguments.only:
            continue
        path = arguments.data / file
        if not path.exists():
            print(f"| {name} | skipped: no {path} |")
            continue
        worse += compare(binary, name, Sheet(path, target), arguments.threads)
    if worse:
        sys.exit("worse than allowed: " + ", ".join(worse))


def build():
    command = ["cargo", "build", "--release", "-p", "flow-stdlib", "--example", "gbdt_fold"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / "release" / "examples" / "gbdt_fold"


class Sheet:
    """A CSV as floats, NaN where blank; columns that are not all numbers are categories, coded in sorted order."""

    def __init__(self, path, target):
        with open(path, newline="") as file:
            header, *rows = csv.reader(file)
        columns = dict(zip(header, zip(*rows)))
        labels = columns.pop(target)
        self.is_categorical, coded = [], []
        for cells in columns.values():
            try:
                values = [float(cell) if cell else numpy.nan for cell in cells]
                self.is_categorical.append(False)
            except ValueError:
                codes = {cell: code for code, cell in enumerate(sorted(set(cells) - {""}))}
                values = [codes.get(cell, numpy.nan) for cell in cells]
                self.is_categorical.append(True)
            coded.append(values)
        self.features = numpy.array(coded, dtype=float).T
        self.is_regression = target == "price" or len(set(labels)) > 20
        if self.is_regression:
            self.target = numpy.array(labels, dtype=float)
        else:
            classes = {label: code for code, label in enumerate(sorted(set(labels)))}
            self.target = numpy.array([classes[label] for label in labels])

    def folds(self):
        splitter = KFold if self.is_regression else StratifiedKFold
        folds = numpy.zeros((REPEATS, len(self.target)), dtype=int)
        for repeat in range(REPEATS):
            split = splitter(FOLDS, shuffle=True, random_state=repeat).split(self.features, self.target)
            for fold, (_, held_out) in enumerate(split):
                folds[repeat, held_out] = fold
        return folds


def compare(binary, name, sheet, threads):
    folds = sheet.folds()
    runs = {
        "flow": run_flow(binary, sheet, folds, threads),
        "LightGBM": run_python(light_gbm, sheet, folds, threads),
        "sklearn": run_python(scikit_learn, sheet, folds, threads),
    }
    worse = []
    for metric, (score, sign) in metrics(sheet).items():
        scores = {
            engine: numpy.array([
                score(sheet.target[folds[repeat] == fold], predictions[repeat][folds[repeat] == fold])
                for repeat in range(REPEATS) for fold in range(FOLDS)
            ])
            for engine, (predictions, _) in runs.items()
        }
        differences = []
        for other in ["LightGBM", "sklearn"]:
            difference = sign * (scores["flow"] - scores[other])
            mean, error = difference.mean(), difference.std(ddof=1) / len(difference) ** 0.5
            differences.append(f"{sign * mean:+.4f} ± {error:.4f}")
            if mean < -0.01 and mean < -2 * error:
                worse.append(f"{name} {metric} beside {other}")
        means = [f"{scores[engine].mean():.4f}" for engine in runs]
        seconds = [f"{fastest:.3f}" for _, fastest in runs.values()]
        row = [name, str(len(sheet.target)), f"{REPEATS}x{FOLDS}", metric, *means, *differences, *seconds]
        print("| " + " | ".join(row) + " |", flush=True)
    return worse


def metrics(sheet):
    """By name: the function and whether more (1) or less (-1) is better."""
    if sheet.is_regression:
        return {"R2": (r2_score, 1)}
    labels = numpy.unique(sheet.target)
    measured = {
        "accuracy": (lambda truth, given: accuracy_score(truth, given.argmax(axis=1)), 1),
        "logloss": (lambda truth, given: log_loss(truth, given, labels=labels), -1),
    }
    if len(labels) == 2:
        measured["AUC"] = (lambda truth, given: roc_auc_score(truth, given[:, 1]), 1)
    return measured


def run_flow(binary, sheet, folds, threads):
    with tempfile.TemporaryDirectory() as folder:
        table, answer = pathlib.Path(folder, "table.csv"), pathlib.Path(folder, "predictions.csv")
        kinds = ["c" if categorical else "n" for categorical in sheet.is_categorical]
        header = [f"f{position}:{kind}" for position, kind in enumerate(kinds)]
        header += ["y:value" if sheet.is_regression else "y:class"]
        header += [f"r{repeat}:fold" for repeat in range(len(folds))]
        with open(table, "w") as file:
            print(",".join(header), file=file)
            for row, (features, target) in enumerate(zip(sheet.features, sheet.target)):
                cells = ["" if numpy.isnan(value) else f"{value:.17g}" for value in features]
                cells += [f"{target:.17g}", *(str(fold) for fold in folds[:, row])]
                print(",".join(cells), file=file)
        settings = [f"trees={TREES}", f"leaves={LEAVES}", f"learning_rate={RATE}", f"min_rows={MIN_ROWS}",
                    f"threads={threads}"]
        done = subprocess.run([binary, table, answer, *settings], check=True, capture_output=True, text=True)
        lines = numpy.loadtxt(answer, delimiter=",", ndmin=2)
    width = lines.shape[1] - 2
    predictions = numpy.zeros((*folds.shape, width))
    predictions[lines[:, 0].astype(int), lines[:, 1].astype(int)] = lines[:, 2:]
    return predictions[:, :, 0] if sheet.is_regression else predictions, float(done.stdout)


def run_python(engine, sheet, folds, threads):
    """Predictions of all held-out rows, by repeat, and the seconds of the fastest training."""
    predictions, fastest = [], float("inf")
    for assignment in folds:
        predicted = None
        for fold in range(FOLDS):
            held_out = assignment == fold
            start = time.perf_counter()
            with threadpool_limits(threads):
                predict = engine(sheet, ~held_out, threads)
            fastest = min(fastest, time.perf_counter() - start)
            values = predict(sheet.features[held_out])
            if predicted is None:
                predicted = numpy.zeros((len(assignment), *values.shape[1:]))
            predicted[held_out] = values
        predictions.append(predicted)
    return predictions, fastest


def light_gbm(sheet, rows, threads):
    kind = lightgbm.LGBMRegressor if sheet.is_regression else lightgbm.LGBMClassifier
    model = kind(n_estimators=TREES, num_leaves=LEAVES, learning_rate=RATE, min_child_samples=MIN_ROWS,
                 n_jobs=threads, verbose=-1)
    categories = [position for position, categorical in enumerate(sheet.is_categorical) if categorical]
    model.fit(sheet.features[rows], sheet.target[rows], categorical_feature=categories)
    return model.predict if sheet.is_regression else model.predict_proba


def scikit_learn(sheet, rows, threads):
    kind = HistGradientBoostingRegressor if sheet.is_regression else HistGradientBoostingClassifier
    model = kind(max_iter=TREES, max_leaf_nodes=LEAVES, learning_rate=RATE, min_samples_leaf=MIN_ROWS,
                 early_stopping=False, categorical_features=sheet.is_categorical)
    model.fit(sheet.features[rows], sheet.target[rows])
    return model.predict if sheet.is_regression else model.predict_proba


if __name__ == "__main__":
    main()
