import Datasets
import Kernels
import Layers
import ModelFiles

/// The inputs of a training: model, data and recipe. Two trainings with the same identity give the same bits on one
/// machine, except for phases whose length is given in seconds.
public struct TrainingIdentity: Sendable, Equatable {
  /// The network's kind, configuration and seed, and a hash of its values.
  public let model: [String: String]
  /// Hashes of the training and validation sequences.
  public let data: [String: String]
  public let recipe: Tree
  /// A hash of all of the above, as 16 hexadecimal digits. It is part of the name of the training's folder.
  public let fingerprint: String
  /// The fingerprint that version 0.1 gave the same training; nil if that version did not support it.
  public let legacyFingerprint: String?

  public init(_ model: Model, _ data: Split, _ recipe: Recipe) throws {
    let configuration = String(decoding: try model.network.encodedConfiguration(), as: UTF8.self)
    self.model = [
      "kind": model.network.kind, "configuration": configuration, "seed": "\(model.seed)", "values": Self.hash(model.values),
    ]
    let times = model.network.timeReference != nil
    self.data = ["train": Self.hash([data.train], times: times), "valid": Self.hash([data.valid], times: times)]
    self.recipe = try recipe.tree()
    fingerprint = Self.fingerprint(self.model, self.data, self.recipe)
    legacyFingerprint = try LegacyFingerprint.text(model, data, recipe)
  }

  /// Reads an identity from its `text`.
  ///
  /// - Throws: `Tree.Failure` if the text is not an identity.
  public init(text: String) throws {
    guard case .object(let parts) = try Tree(parsing: text), let recipe = parts["recipe"] else {
      throw Tree.Failure(message: "not the identity of a training")
    }
    model = try parts["model"]?.decoded(as: [String: String].self) ?? [:]
    data = try parts["data"]?.decoded(as: [String: String].self) ?? [:]
    self.recipe = recipe
    fingerprint = Self.fingerprint(model, data, recipe)
    legacyFingerprint = nil
  }

  /// The identity as JSON, for checkpoints.
  public var text: String {
    func object(_ values: [String: String]) -> Tree { .object(values.mapValues { .text($0) }) }
    return Tree.object(["model": object(model), "data": object(data), "recipe": recipe]).canonical
  }

  private static func fingerprint(_ model: [String: String], _ data: [String: String], _ recipe: Tree) -> String {
    var hash = WordHash()
    hash.add("stackrec training 2")
    for part in [model, data] {
      for (key, value) in part.sorted(by: { $0.key < $1.key }) {
        hash.add(key)
        hash.add(value)
      }
    }
    hash.add(recipe.canonical)
    return hash.text
  }

  private static func hash(_ values: FloatBuffer) -> String {
    var hash = WordHash()
    hash.add(UnsafeRawBufferPointer(values.values))
    return hash.text
  }

  private static func hash(_ sets: [SequenceSet], times: Bool = false) -> String {
    var hash = WordHash()
    for set in sets { set.addIdentity(to: &hash, times: times) }
    return hash.text
  }

  /// A hash of a data set with all its parts.
  public static func hash(_ data: Split) -> String { hash([data.train, data.valid, data.test]) }

  /// A hash of any bytes.
  public static func hash(_ bytes: [UInt8]) -> String {
    var hash = WordHash()
    bytes.withUnsafeBytes { hash.add($0) }
    return hash.text
  }

  /// Whether this training differs from another one only in a longer last phase. False if there is a learning-rate schedule,
  /// which could depend on the planned length.
  public func isLonger(than other: TrainingIdentity) -> Bool {
    guard model == other.model, data == other.data, let (own, ownRun) = Self.cut(recipe), let (rest, run) = Self.cut(other.recipe),
      own == rest, case .object(let values) = recipe, values["schedule"] == nil
    else { return false }
    switch (ownRun, run) {
    case (.steps(let own)?, .steps(let other)?): return own > other
    case (.epochs(let own)?, .epochs(let other)?): return own > other
    case (.seconds(let own)?, .seconds(let other)?): return own > other
    case (nil, .some): return true
    default: return false
    }
  }

  /// A recipe without the length of its last phase, and that length.
  private static func cut(_ recipe: Tree) -> (rest: Tree, run: Extent?)? {
    guard case .object(var values) = recipe, case .list(var phases)? = values["phases"], case .object(var last)? = phases.last
    else { return nil }
    let run = last.removeValue(forKey: "run").flatMap { try? $0.decoded(as: Extent.self) }
    phases[phases.count - 1] = .object(last)
    values["phases"] = .list(phases)
    return (.object(values), run)
  }

  /// A new model of the same kind and configuration as the one that the training began with; nil if that one was not new, for
  /// example trained before.
  ///
  /// - Parameter seed: the seed of the new model.
  public func newModel(seed: UInt64) throws -> Model? {
    guard let kind = model["kind"], let configuration = model["configuration"], let own = model["seed"].flatMap({ UInt64($0) }) else {
      return nil
    }
    let network = try ModelReader.network(kind, configuration, "the recorded training")
    guard Self.hash(Model(network, seed: own).values) == model["values"] else { return nil }
    return Model(network, seed: seed)
  }

  /// A value in which two trainings differ.
  public struct Difference: Sendable, Equatable {
    /// The path of the value, e.g. `model.seed`, `data.train`, `optimizer.lr`, `phases.1.run.steps`.
    public let name: String
    /// nil if the value is absent. An absent value of the recipe has its default.
    public let own: String?
    public let other: String?
  }

  /// The differences from another training, in the order of their names.
  public func differences(from other: TrainingIdentity) -> [Difference] {
    func leaves(_ identity: TrainingIdentity) -> [String: String] {
      var all = identity.recipe.leaves().mapValues(\.canonical)
      for (key, value) in identity.model { all["model.\(key)"] = value }
      for (key, value) in identity.data { all["data.\(key)"] = value }
      return all
    }
    let (own, others) = (leaves(self), leaves(other))
    return Set(own.keys).union(others.keys).sorted().compactMap { name in
      own[name] == others[name] ? nil : Difference(name: name, own: own[name], other: others[name])
    }
  }
}
