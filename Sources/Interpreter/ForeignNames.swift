/// Names of other languages and libraries that people type, each with what is written here.
enum ForeignNames {
  /// For a name that nothing is called by.
  static func help(forName name: String) -> String? { names[name] ?? names[name.lowercased()] }

  /// For a member that a value does not have.
  ///
  /// - Parameter isFunction: whether there is a function of that name.
  static func help(forMember name: String, isFunction: Bool) -> String? {
    if let help = members[name] { return help }
    return isFunction ? "`\(name)` is a function: value |> \(name)(...)" : nil
  }

  /// For an argument that a function does not have.
  ///
  /// - Parameter parameters: the arguments that it has.
  static func help(forArgument name: String, of function: String, among parameters: [String]) -> String? {
    let name = name.lowercased()
    if let own = ofFunctions[function]?[name] { return own }
    if let (argument, help) = arguments[name]?.first(where: { parameters.contains($0.argument) }) {
      return help ?? "the argument is called `\(argument)`"
    }
    return nil
  }

  /// For an argument of the wrong kind: `function.argument`.
  static func help(forKindOf argument: String, in function: String) -> String? { kinds["\(function).\(argument)"] ?? kinds[".\(argument)"] }

  private static let kinds: [String: String] = [
    "compare.methods": "the methods have names: compare({ A: run, B: other }, on: data.test)",
    ".on": "a part of a data set is meant, such as on: data.test; for a metric, on: mrr@5 without quotes",
    "len.value": "sizes of data are data.items and data.train.count; those of a run are run.steps and len(run.history)",
    "train.model": "the model comes first: train(model, data, run: 10epochs)",
    "train.data": "the model comes first: train(model, data, run: 10epochs)",
    "stackrec.model": "the model comes first: stackrec(model, data, phases: [...])",
    "stackrec.data": "the model comes first: stackrec(model, data, phases: [...])",
    ".metrics": "a list of metrics without quotes: metrics: [hr@10, ndcg@10]",
    ".baselines": "a list of words: baselines: [popular, markov]",
    "map.list": "the list comes first: map(xs, x => x * 2), or xs |> map(x => x * 2)",
    "filter.list": "the list comes first: filter(xs, x => x > 2), or xs |> filter(x => x > 2)",
  ]

  private static let numbers = "number(\"5\") reads a number from a text, floor(x) and round(x) make it whole"
  private static let noPackages = "no packages are needed: read_csv(\"x.csv\"), mean(xs), load_model(\"m.safetensors\") are there"
  private static let list = "a list is written [1, 2, 3]"
  private static let plotting = "a curve is drawn by figure() |> line(run, x: step, y: loss) |> show"
  private static let seeds = "randomness is given by seed: 1 of a function, or by srs run --seed 1; there are no random numbers in scripts"
  private static let cutOff = "a metric has a cut-off: "
  private static let describing = "describe(x) shows what a value is"

  private static let names: [String: String] = [
    "True": "write true", "False": "write false", "TRUE": "write true", "FALSE": "write false", "yes": "write true", "no": "write false",
    "None": "the value of nothing is nil", "null": "the value of nothing is nil", "NULL": "the value of nothing is nil",
    "undefined": "the value of nothing is nil", "nothing": "the value of nothing is nil", "NA": "the value of nothing is nil",
    "nan": "there is no literal for it; is_nan(x) tells whether x is one",
    "inf": "there is no literal for it; the largest number is about 1.8e308",
    "infinity": "there is no literal for it; the largest number is about 1.8e308",
    "str": "text(5) makes a text", "string": "text(5) makes a text", "repr": "text(5) makes a text", "tostring": "text(5) makes a text",
    "int": numbers, "float": numbers, "double": numbers, "parseint": numbers, "parsefloat": numbers, "as.numeric": numbers,
    "type": describing, "typeof": describing, "class": describing, "isinstance": describing, "dir": describing, "vars": describing,
    "summary": describing, "info": describing, "shape": "describe(x) shows the sizes; len(xs) is the number of elements",
    "size": "len(xs) is the number of elements; of a data set: data.train.count", "length": "len(xs) is the number of elements",
    "nrow": "len(xs) is the number of elements",
    "tail": "slice(xs, -5) is the end of a list",
    "any": "some(xs, x => x > 1) asks whether one fits", "all": "every(xs, x => x > 1) asks whether all fit",
    "argmax": "index_of(xs, max(xs))", "argmin": "index_of(xs, min(xs))", "which": "filter(xs, x => x > 1), or index_of(xs, 1)",
    "seq": "1..10 is a range; range(0, 1, by: 0.25) has steps", "linspace": "range(0, 1, by: 0.25)",
    "arange": "1..10, or range(0, 1, by: 0.25)",
    "xrange": "1..10", "list": list, "array": list, "vector": list, "tuple": list, "c": list, "dict": "a record is written { a: 1 }",
    "object": "a record is written { a: 1 }", "fit": "train(model, data, run: 10epochs) trains",
    "predict": "recommend(model, data.test, k: 10) gives the best items; scores(model, data.test) all scores",
    "plot": plotting, "plt": plotting, "ggplot": plotting, "hist": "figure() |> histogram(xs)",
    "seed": seeds, "set_seed": seeds, "manual_seed": seeds, "random": seeds, "rand": seeds, "randn": seeds, "runif": seeds, "rnorm": seeds,
    "elif": "a further condition is written else if x > 0 { ... }", "pass": "an empty body is written { }",
    "raise": "an error is made by assert false, \"what is wrong\"", "throw": "an error is made by assert false, \"what is wrong\"",
    "stop": "assert false, \"what is wrong\" ends a script with an error", "error": "an error is made by assert false, \"what is wrong\"",
    "exit": "a script ends at its end; exit leaves the prompt", "quit": "a script ends at its end; quit leaves the prompt",
    "pd": noPackages, "np": noPackages, "torch": noPackages, "tf": noPackages, "nn": noPackages, "recbole": noPackages,
    "sklearn": noPackages,
    "pandas": noPackages, "numpy": noPackages, "polars": noPackages, "library": noPackages, "require": noPackages, "using": noPackages,
    "sgd": "the optimizers are adam, adamw and adagrad", "rmsprop": "the optimizers are adam, adamw and adagrad",
    "mrr": cutOff + "mrr@5", "hr": cutOff + "hr@10", "ndcg": cutOff + "ndcg@10", "hit": cutOff + "hr@10", "hits": cutOff + "hr@10",
    "recall": cutOff + "recall@10", "precision": cutOff + "precision@10",
    "append": "[..xs, 5] is a list with one element more",
    "push": "[..xs, 5] is a list with one element more",
    "extend": "[..a, ..b] is both lists", "concat": "[..a, ..b] is both lists; texts are joined by +",
    "println": "print(\"x\")", "printf": "print(\"{x}\")", "echo": "print(\"x\")", "cat": "print(\"x\")", "puts": "print(\"x\")",
    "console": "print(\"x\")",
    "paste": "texts are joined by \"{a} {b}\" or join([a, b], with: \" \")", "paste0": "texts are joined by \"{a}{b}\"",
    "sprintf": "\"{x}\"; with digits \"{format(x, digits: 3)}\"", "sapply": "xs |> map(x => x * 2)", "lapply": "xs |> map(x => x * 2)",
    "vapply": "xs |> map(x => x * 2)", "apply": "xs |> map(x => x * 2)", "purrr": "xs |> map(x => x * 2)",
    "source": "import \"helpers.srs\" runs a script and keeps its names",
    "include": "import \"helpers.srs\" runs a script and keeps its names",
    "trycatch": "errors are caught by try { ... } else e => { print(e.message) }", "is": "write ==; the value of nothing is nil",
    "math": noPackages, "os": noPackages, "sys": noPackages, "re": noPackages, "dplyr": noPackages, "install": noPackages,
    "pip": noPackages,
    "epochs": "a length is 3epochs; a computed one n * 1epochs", "steps": "a length is 100steps; a computed one n * 1steps",
    "data": "a data set is bound first: let data = load(\"ratings.csv\") |> window(length: 50) |> split(by: leave_last_out)",
    "df": "a table is read by read_csv(\"x.csv\"), a data set by load(\"x.csv\")", "sorted": "sort(xs)",
    "do": "bodies stand in braces: while x < 9 { ... }",
    "lambda": "a function without a name is written x => x * 2", "open": "read(\"file.txt\") reads a text, load(\"data.csv\") a data set",
    "cross_entropy": "the loss is called softmax", "ce": "the loss is called softmax", "crossentropy": "the loss is called softmax",
    "cd": "at the prompt: %cd folder", "ls": "at the prompt: !ls", "pwd": "at the prompt: %cd", "clear": "at the prompt: Ctrl-L",
    "del": "values need not be deleted; at the prompt %reset name forgets one",
    "rm": "values need not be deleted; at the prompt %reset name forgets one",
    "self": "there are no classes", "this": "there are no classes",
    "new": "there are no classes; functions such as nextitnet(data) make values",
    "model": "a model is made from a data set: let model = sasrec(data)",
    "loss": "losses are softmax, sampled_softmax(20%), bce(), gbce(), bpr_max()",
    "lr": "the learning rate belongs to the optimizer: adam(lr: 1e-3)", "ttest": "the test is called paired_t",
    "t_test": "the test is called paired_t",
  ]

  private static let members: [String: String] = [
    "append": "[..xs, 5] is a list with one element more", "push": "[..xs, 5] is a list with one element more",
    "add": "[..xs, 5] is a list with one element more", "insert": "[..slice(xs, 0, 1), 5, ..slice(xs, 2)] is a list with 5 in between",
    "extend": "[..a, ..b] is both lists", "concat": "[..a, ..b] is both lists", "pop": "drop(xs, 1) is the list without its first element",
    "remove": "filter(xs, x => x != 5) is the list without 5", "length": "len(xs)", "size": "len(xs)", "count": "len(xs)",
    "foreach": "for x in xs { ... }", "forEach": "for x in xs { ... }", "items": "keys(rec) and values(rec)", "get": "get(rec, \"name\")",
    "shape": "describe(x) shows the sizes", "head": "head(x, 5) is its beginning", "summary": "describe(x) shows what a value is",
    "info": "describe(x) shows what a value is", "tail": "slice(xs, -5) is the end of a list", "index": "index_of(xs, x)",
    "fit": "train(model, data, run: 10epochs) trains", "predict": "recommend(model, data.test, k: 10) gives the best items",
    "plot": "figure() |> line(run, x: step, y: loss) |> show", "copy": "values do not change, so they need no copies",
    "mrr": "a metric is in brackets: e[mrr@5]; the best value of a run is run.best", "ndcg": "a metric is in brackets: e[ndcg@10]",
    "hr": "a metric is in brackets: e[hr@10]", "astype": "number(x) and text(x) convert", "mean": "mean(xs)", "sum": "sum(xs)",
    "cuda": "everything runs on the processors: srs run --threads 8", "to": "everything runs on the processors: srs run --threads 8",
    "format": "\"{x}\", or format(x, digits: 3)", "strip": "trim(text)", "toUpperCase": "upper(text)", "toLowerCase": "lower(text)",
    "startswith": "starts_with(text, \"a\")", "endswith": "ends_with(text, \"a\")",
  ]

  private typealias Meant = (argument: String, help: String?)

  private static let arguments: [String: [Meant]] = {
    var table: [String: [Meant]] = [:]
    func add(_ argument: String, _ help: String? = nil, _ foreign: String...) {
      for name in foreign { table[name, default: []].append((argument, help)) }
    }
    add("optimizer", "the rate belongs to the optimizer: optimizer: adam(lr: 1e-3)", "lr", "learning_rate", "rate", "eta", "alpha")
    add("optimizer", "decay belongs to the optimizer: optimizer: adamw(decay: 0.01)", "weight_decay", "decay", "l2")
    add("optimizer", "clipping belongs to the optimizer: optimizer: adam(clip: 1)", "clip", "clip_norm", "grad_clip", "max_grad_norm")
    add("lr", nil, "learning_rate", "rate", "eta", "step_size")
    add("run", "the length is given by run: 3epochs", "epochs", "n_epochs", "num_epochs", "max_epochs", "epoch", "nb_epoch")
    add("run", "the length is given by run: 1000steps", "steps", "max_steps", "iterations", "n_iter", "iters", "num_steps")
    add("run", "the length is given by run: 10min", "time", "max_time", "duration")
    add(
      "stop", "early stopping is stop: patience(5, on: ndcg@10)", "patience", "early_stopping", "early_stop", "stopping_step", "callbacks")
    add("loss", nil, "loss_fn", "criterion", "loss_type", "objective", "loss_function")
    add(
      "loss", "negatives belong to the loss: loss: sampled_softmax(negatives: 128)", "negatives", "num_negatives", "neg_sampling",
      "n_negatives", "train_neg_sample_args")
    add("schedule", "warm-up belongs to the schedule: schedule: cosine(warmup: 2%)", "warmup", "warmup_steps", "warm_up")
    add("schedule", nil, "scheduler", "lr_scheduler", "lr_schedule")
    add("batch", nil, "batch_size", "bs", "batchsize", "train_batch_size")
    add("eval_every", nil, "eval_step", "eval_steps", "eval_interval", "validate_every", "val_every", "evaluate_every")
    add("metrics", nil, "metric", "eval_metrics")
    add("metrics", "a metric names its k: metrics: [hr@10]", "k", "topk", "top_k", "top", "n", "at")
    add("k", nil, "topk", "top_k", "top", "n", "limit")
    add(
      "dim", nil, "hidden_size", "embedding_dim", "embedding_size", "emb_dim", "embed_dim", "d_model", "hidden", "hidden_dim", "units",
      "width", "d", "factors", "n_factors")
    add("blocks", nil, "layers", "num_layers", "n_layers", "depth", "num_blocks", "n_blocks", "n_layer", "num_hidden_layers")
    add("heads", nil, "num_heads", "n_heads", "attention_heads", "num_attention_heads", "nhead")
    add("dropout", nil, "dropout_rate", "drop", "p", "dropout_prob", "hidden_dropout_prob", "attn_dropout_prob")
    add("ff_dim", nil, "inner_size", "ffn_dim", "feedforward_dim", "d_ff", "dim_feedforward")
    add("length", nil, "maxlen", "max_len", "max_length", "max_seq_len", "max_seq_length", "session_max_len", "seq_len", "size", "n")
    add(
      "pads", "the length is that of the data: window(length: 50)", "maxlen", "max_len", "max_length", "max_seq_len", "max_seq_length",
      "length")
    add("stride", nil, "step", "shift")
    add("seed", nil, "random_state", "random_seed", "rng")
    add(
      "train", "the shares are train: 80%, valid: 10%, test: 10%", "train_size", "train_ratio", "ratio", "ratios", "test_size", "val_size")
    add("valid", nil, "val", "validation", "dev")
    add("by", nil, "method", "strategy", "how", "split_by", "mode", "operator")
    add("min_user", nil, "min_user_interactions", "min_uc", "min_user_freq", "k_core", "kcore")
    add("separator", nil, "sep", "delimiter", "delim", "field_separator")
    add("user", nil, "user_col", "user_id", "user_column", "uid")
    add("item", nil, "item_col", "item_id", "item_column", "iid")
    add("time", nil, "time_col", "timestamp", "time_column", "timestamp_col", "ts")
    add("on", nil, "data", "dataset", "test", "over")
    add("to", nil, "depth", "blocks", "layers", "n")
    add("descending", "the order is given by descending: true", "reverse", "ascending", "decreasing", "desc")
    add("digits", nil, "ndigits", "precision", "decimals", "places")
    add("with", nil, "sep", "separator", "delimiter", "glue")
    add("hide", nil, "filter_seen", "filter_viewed", "exclude_seen", "mask_seen", "remove_seen")
    add("label", nil, "name", "legend")
    add("title", nil, "main", "name")
    add("preset", nil, "config", "variant", "version")
    return table
  }()

  /// What functions do without the argument, because it belongs elsewhere.
  private static let ofFunctions: [String: [String: String]] = {
    let processors = "everything runs on the processors; srs run --threads 8 chooses how many"
    let quiet = "srs run --quiet shows no progress and no notes"
    var all: [String: [String: String]] = [:]
    for function in ["train", "stackrec", "finetune", "evaluate", "recommend"] {
      for name in ["device", "gpu", "cuda", "accelerator", "use_gpu", "gpus"] { all[function, default: [:]][name] = processors }
      for name in ["num_workers", "workers", "n_jobs", "threads", "nproc"] { all[function, default: [:]][name] = processors }
      for name in ["verbose", "show_progress", "progress", "progress_bar", "silent", "quiet"] { all[function, default: [:]][name] = quiet }
    }
    for name in ["train", "stackrec"] {
      for path in ["model_path", "save", "checkpoint_dir"] {
        all[name]?[path] = "save(run, \"model.safetensors\") saves the model; checkpoint: 10min its state"
      }
    }
    return all
  }()
}
