using System.Text;
using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using SignalHub.Webhooks.Templates;

namespace SignalHub.Tests.Webhooks;

public sealed class BodyTemplateTests
{
    private static readonly string[] _roots = ["signal", "lead", "person", "company", "contact"];

    private static readonly Dictionary<string, JsonElement> _values = new()
    {
        ["signal"] = JsonElement.Parse("""{"id":"sig_1","context":{"plan":"pro","n":12,"big":1e400,"ok":true,"none":null,"tags":["a","b"],"q":"say \"hi\"\n<b>&</b> ü"}}"""),
        ["contact"] = JsonElement.Parse("""{"first_name":"Zoë"}"""),
    };

    [Theory]
    [InlineData("Call {{contact.first_name}}", "Call Zoë")]
    [InlineData("{{ contact.first_name }}", "Zoë")]
    [InlineData("{{signal.context.n}}/{{signal.context.ok}}", "12/true")]
    [InlineData("[{{signal.context.missing}}{{lead.icp_score}}{{signal.context.none}}]", "[]")]
    [InlineData("{{signal.context.tags}} {{signal.context.tags.1}} {{signal.context.tags.2}}", """["a","b"] b """)]
    [InlineData("{{signal.context.q}}", "say \"hi\"\n<b>&</b> ü")]
    [InlineData("a } b }} { c", "a } b }} { c")]
    [InlineData("", "")]
    public void A_text_takes_values_as_they_are_and_missing_ones_as_nothing(string template, string expected) =>
        Assert.Equal(expected, Render(template, TemplateKind.Text));

    [Theory]
    [InlineData("""{"q":"{{signal.context.q}}"}""", """{"q":"say \"hi\"\n<b>&</b> ü"}""")]
    [InlineData("""{"n":{{signal.context.n}},"s":"{{signal.context.n}}"}""", """{"n":12,"s":"12"}""")]
    [InlineData("""{"c":{{json signal.context.tags}},"m":{{json lead.icp_score}}}""", """{"c":["a","b"],"m":null}""")]
    [InlineData("""{"t":"{{signal.context.tags}}"}""", """{"t":"[\"a\",\"b\"]"}""")]
    [InlineData("""{"m":"{{signal.context.missing}}"}""", """{"m":""}""")]
    public void A_JSON_body_has_values_escaped_and_parses(string template, string expected) =>
        Assert.Equal(expected, Render(template, TemplateKind.Json));

    [Fact]
    public void A_value_that_looks_like_a_template_is_not_rendered_again()
    {
        var (template, _) = BodyTemplate.Compile("{{signal.context.a}}", TemplateKind.Text, _roots);
        var values = new Dictionary<string, JsonElement> { ["signal"] = JsonElement.Parse("""{"context":{"a":"{{signal.context.a}}"}}""") };

        Assert.Equal("{{signal.context.a}}", Encoding.UTF8.GetString(template!.Render(values).Body!));
        Assert.Equal("{{signal.context.a}}", template.RenderText(values, 4_000));
    }

    /// <summary>A small template over a large value could make gigabytes: it ends once there is more than may be.</summary>
    [Fact]
    public void A_result_of_a_megabyte_is_refused_or_cut_without_being_made()
    {
        var (template, _) = BodyTemplate.Compile(string.Concat(Enumerable.Repeat("{{signal.context.a}}", 10_000)), TemplateKind.Text, _roots);
        var values = new Dictionary<string, JsonElement> { ["signal"] = JsonSerializer.SerializeToElement(new { context = new { a = new string('x', 100_000) } }) };
        var before = GC.GetAllocatedBytesForCurrentThread();

        var (body, error) = template!.Render(values);
        var text = template.RenderText(values, 4_000);

        Assert.Null(body);
        Assert.Contains("larger than 256 KB", error, StringComparison.Ordinal);
        Assert.Equal(4_000, text.Length);
        Assert.EndsWith("x…", text, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8 * 1024 * 1024);
    }

    [Theory]
    [InlineData("{{#if signal}}x{{/if}}", 0)]
    [InlineData("ab {{> partial}}", 3)]
    [InlineData("{{{signal.id}}}", 0)]
    [InlineData("{{&signal.id}}", 0)]
    [InlineData("{{! comment }}", 0)]
    [InlineData("{{^signal}}", 0)]
    [InlineData("{{signal.id", 0)]
    [InlineData("{{}}", 0)]
    [InlineData("{{json}}", 0)]
    [InlineData("{{lookup signal id}}", 0)]
    [InlineData("{{signal..id}}", 0)]
    [InlineData("{{signal.[0]}}", 0)]
    [InlineData("{{environment.PATH}}", 0)]
    [InlineData("{{signal.id.constructor()}}", 0)]
    public void Whatever_is_more_than_a_path_is_refused_with_its_place(string template, int start)
    {
        var (compiled, error) = BodyTemplate.Compile(template, TemplateKind.Text, _roots);

        Assert.Null(compiled);
        Assert.Equal(start, error!.Start);
        Assert.EndsWith(".", error.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{signal.id}} is no JSON")]
    [InlineData("""{"a":"{{signal.id}}"} trailing""")]
    [InlineData("""{"a":'{{signal.id}}'}""")]
    [InlineData("")]
    public void A_JSON_template_that_can_never_parse_is_refused(string template) =>
        Assert.Contains("does not give JSON", BodyTemplate.Compile(template, TemplateKind.Json, _roots).Error!.Detail, StringComparison.Ordinal);

    [Fact]
    public void A_value_that_breaks_the_JSON_is_an_error_and_no_exception()
    {
        var (template, _) = BodyTemplate.Compile("""{"plan":{{signal.context.plan}}}""", TemplateKind.Json, _roots);

        var (body, error) = template!.Render(_values);

        Assert.Null(body);
        Assert.Contains("{{json path}}", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Template_and_body_have_at_most_256_KB()
    {
        var longest = new string('x', BodyTemplate.MaxBytes);
        Assert.NotNull(BodyTemplate.Compile(longest, TemplateKind.Text, _roots).Template);
        Assert.Contains("256 KB", BodyTemplate.Compile(longest + "x", TemplateKind.Text, _roots).Error!.Detail, StringComparison.Ordinal);
        var (template, _) = BodyTemplate.Compile("{{signal.a}}{{signal.a}}", TemplateKind.Text, _roots);
        var half = JsonSerializer.SerializeToElement(new { a = new string('y', (BodyTemplate.MaxBytes / 2) + 1) });

        Assert.Contains("256 KB", template!.Render(new Dictionary<string, JsonElement> { ["signal"] = half }).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Any_string_between_quotes_comes_out_of_the_parsed_body_as_it_went_in() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>().Filter(s => s is not null && IsWellFormed(s)), text =>
        {
            var (template, _) = BodyTemplate.Compile("""{"v":"{{signal.v}}"}""", TemplateKind.Json, _roots);
            var (body, error) = template!.Render(new Dictionary<string, JsonElement> { ["signal"] = JsonSerializer.SerializeToElement(new { v = text }) });
            return error is null && JsonElement.Parse(body).GetProperty("v").GetString() == text;
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void Compiling_any_text_ends_with_a_template_or_an_error() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>().Filter(s => s is not null && IsWellFormed(s)), text =>
        {
            var (template, error) = BodyTemplate.Compile("{{" + text, TemplateKind.Text, _roots);
            return template is null != error is null;
        }).QuickCheckThrowOnFailure();

    private static bool IsWellFormed(string text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)) == text;

    private static string Render(string text, TemplateKind kind)
    {
        var (template, refused) = BodyTemplate.Compile(text, kind, _roots);
        Assert.True(template is not null, refused?.Detail);
        var (body, error) = template.Render(_values);
        Assert.True(body is not null, error);
        return Encoding.UTF8.GetString(body);
    }
}
