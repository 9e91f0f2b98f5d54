using System.Globalization;
using System.Text;
using SignalHub.Http;

namespace SignalHub.Tests.Http;

/// <summary>Doubled members are found in objects of any size and depth, however their names are written.</summary>
public sealed class JsonGateTests
{
    private const int Bodies = 2_000;

    [Theory]
    [InlineData("{\"a\":1,\"b\":{\"a\":2},\"c\":[{\"a\":3},{\"a\":4}]}", null)]
    [InlineData("{\"a\":{\"b\":1,\"c\":2},\"b\":3,\"c\":{\"b\":1}}", null)]
    [InlineData("{\"a\":{\"b\":1},\"a\":2}", "/a")]
    [InlineData("{\"a\":[{\"x\":1},{\"x\":1,\"x\":2}]}", "/a/1/x")]
    [InlineData("{\"name\":1,\"n\\u0061me\":2}", "/name")]
    [InlineData("{\"n\\u0061me\":1,\"name\":2}", "/name")]
    [InlineData("{\"n\\u0061me\":1,\"nam\":2,\"names\":3}", null)]
    [InlineData("{\"\":1,\"\":2}", "/")]
    [InlineData("{\"ü\":1,\"\\u00fc\":2}", "/ü")]
    public void The_second_of_two_equal_names_in_one_object_is_named(string body, string? pointer) =>
        Assert.Equal(pointer, DoubledIn(body));

    [Theory]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1_000)]
    public void An_object_of_any_size_is_searched_to_its_last_member(int members)
    {
        var distinct = string.Join(',', Enumerable.Range(0, members).Select(i => $"\"m{i}\":{{\"x\":1}}"));

        Assert.Null(DoubledIn($"{{{distinct}}}"));
        Assert.Equal("/m0", DoubledIn($"{{{distinct},\"m0\":1}}"));
        Assert.Equal($"/m{members - 1}", DoubledIn($"{{{distinct},\"m{members - 1}\":1}}"));
        Assert.Equal("/z", DoubledIn($"{{\"z\":{{{distinct}}},\"z\":1}}"));
    }

    [Fact]
    public void Random_objects_are_refused_if_and_only_if_a_name_comes_twice()
    {
        var random = new Random(20261121);
        for (var i = 0; i < Bodies; i++)
        {
            var doubled = false;
            var body = Object(random, depth: 0, ref doubled);

            Assert.True(doubled == (DoubledIn(body) is not null), body);
        }
    }

    private static string? DoubledIn(string body) =>
        JsonGate.Check(Encoding.UTF8.GetBytes(body)) is not { } problem ? null
        : problem.Code == ProblemCodes.DuplicateMember ? problem.Errors[0].Pointer
        : throw new InvalidOperationException(problem.Detail);

    private static string Object(Random random, int depth, ref bool doubled)
    {
        var names = new HashSet<string>();
        var members = new List<string>();
        for (var count = random.Next(random.Next(4) == 0 ? 40 : 6); count > 0; count--)
        {
            var name = ((char)('a' + random.Next(26))).ToString() + (char)('a' + random.Next(26));
            doubled |= !names.Add(name);
            var written = random.Next(20) == 0 ? string.Create(CultureInfo.InvariantCulture, $"{name[0]}\\u{(int)name[1]:x4}") : name;
            var value = depth > 3 ? "1" : random.Next(6) switch
            {
                0 => Object(random, depth + 1, ref doubled),
                1 => $"[{Object(random, depth + 1, ref doubled)},2]",
                _ => "1",
            };
            members.Add($"\"{written}\":{value}");
        }
        return $"{{{string.Join(',', members)}}}";
    }
}
