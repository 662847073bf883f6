"""Honest numbers: what a score is worth, beside simpler models and controls.

In the order of a run:

baselines    fit_baselines: trivial, nearest and simple models from the same training rows
predictions  Predictions: what a model says, beside what is true
resampling   Resampling: which test records, or groups, are drawn together
scores       resample: every metric of every model on the same draws -> Score with its 95 % interval
intervals    how each interval is found, and when there is none
comparison   compare: the model minus each baseline -> Difference
controls     permute, read_shuffles: the same training on shuffled labels must read as guessing
information  what a prediction tells about the measurement, in bits: at most, and by the model's own account of the noise
folds        fold_scores: each fold, their mean with a corrected interval, and what leave-one-out refuses
variance     variance_components: other test records, another seed
ceiling      noise_ceiling: how good any model could be, and scores that are better than that
curve        learning_curve: would twice the data help?
bounds       error_bound: what the test promises about new records
learnability how many records a family of models needs, by PAC and VC bounds: to compare, and to teach
decomposition  bias and variance, which add up to the loss
facts        Facts: all of the above in one place
checks/      run_checks: one question each -> Finding, worst first
untrained    what a network without training, or length and composition alone, would score
calibration  Calibration: temperature and threshold, chosen on validation rows
reliability  do stated probabilities come true -> Reliability
spread       are predicted numbers as far apart as measured ones -> Spread
assessment   assess: both in one block of the result
gain         what a mean of several networks gains over one of them -> Gain
conformal    Conformal: how far a single prediction may be off -> Coverage on test rows
domain       Domain: is a new record like those the model learned from, and if not, why
alone        how well one column predicts the target by itself (used by checks)
verdict      verdict: one sentence and a next step, from a decision table
"""
