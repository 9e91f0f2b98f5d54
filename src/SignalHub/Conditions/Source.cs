namespace SignalHub.Conditions;

/// <summary>The text being compiled; turns offsets into errors that show the place.</summary>
internal sealed class Source(string text)
{
    private const int SnippetWidth = 80;

    public string Text { get; } = text;

    public ConditionError Error(string code, string detail, int start, int end, string? hint = null, params string[] expected)
    {
        var lineStart = start == 0 ? 0 : Text.LastIndexOf('\n', start - 1) + 1;
        var line = 1 + Text.AsSpan(0, lineStart).Count('\n');
        return new ConditionError(code, detail, start, end, line, start - lineStart + 1, Snippet(lineStart, start, end), hint, expected);
    }

    private string Snippet(int lineStart, int start, int end)
    {
        var newline = Text.IndexOfAny(['\r', '\n'], start);
        var lineEnd = newline < 0 ? Text.Length : newline;
        var from = lineEnd - lineStart <= SnippetWidth ? lineStart : Math.Max(lineStart, start - (SnippetWidth / 2));
        var to = Math.Min(lineEnd, from + SnippetWidth);
        var carets = Math.Max(1, Math.Min(end, to) - start);
        return string.Create(to - from + 1 + (start - from) + carets, (Text, from, to, start), static (span, state) =>
        {
            var (text, from, to, start) = state;
            var at = 0;
            for (var i = from; i < to; i++)
            {
                span[at++] = Printable(text, i);
            }
            span[at++] = '\n';
            for (var i = from; i < start; i++)
            {
                span[at++] = text[i] == '\t' ? '\t' : ' ';
            }
            span[at..].Fill('^');
        });
    }

    // The snippet goes into JSON and onto terminals: control characters and halves of surrogate pairs would harm both.
    private static char Printable(string text, int index)
    {
        var c = text[index];
        var lone = char.IsSurrogate(c)
            && !(index + 1 < text.Length && char.IsSurrogatePair(c, text[index + 1]))
            && !(index > 0 && char.IsSurrogatePair(text[index - 1], c));
        return lone || (char.IsControl(c) && c != '\t') ? '\uFFFD' : c;
    }
}
