using System.Text.Json;
using SignalHub.Http;
using SignalHub.Leads.Identity;

namespace SignalHub.Signals.V1;

/// <summary>
/// A signal in the dialect of <c>POST /v1/signals</c>, read as leniently as the other one: account and contact are parts of one
/// identity, properties are the context.
/// </summary>
public static class V1Request
{
    /// <summary>Reads an object that has passed <see cref="JsonGate"/>.</summary>
    public static SignalRequest Read(JsonElement body, DateTimeOffset receivedAt)
    {
        var request = new SignalRequest { ReceivedAt = receivedAt, IsFreeForm = true, OwnData = "properties" };
        var empty = new IdentityInput { FindsCompanyByName = true };
        var identity = empty;
        foreach (var member in body.EnumerateObject())
        {
            switch (member.Name)
            {
                case "account" or "contact":
                    identity = ReadPart(request, identity, member.Name, member.Value);
                    break;
                case var name when V1Names.ToOurs($"/{JsonGate.Escape(name)}") is { } ours:
                    request.ReadMember(ours[1..], member.Value);
                    break;
                default:
                    request.Unknown($"/{JsonGate.Escape(member.Name)}");
                    break;
            }
        }
        if (identity != empty)
        {
            request.SetIdentity(identity);
        }
        return request;
    }

    private static IdentityInput ReadPart(SignalRequest request, IdentityInput identity, string part, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            if (!SignalRequest.IsAbsent(value))
            {
                request.WrongType($"/{part}", "an object");
            }
            return identity;
        }
        foreach (var member in value.EnumerateObject())
        {
            var pointer = $"/{part}/{JsonGate.Escape(member.Name)}";
            if (V1Names.ToOurs(pointer) is { } ours && request.ReadIdentityMember(identity, ours[(ours.LastIndexOf('/') + 1)..], member.Value) is { } read)
            {
                identity = read;
            }
            else
            {
                request.Unknown(pointer);
            }
        }
        return identity;
    }
}
