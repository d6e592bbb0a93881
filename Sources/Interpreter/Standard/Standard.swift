extension Builtin {
  /// The standard functions, which every program of the language can use. Each list is in the file of its subject.
  public static let standard = lists + grouping + records + maths + statistics + texts + dates + files
}
