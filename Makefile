.PHONY: run test format bench

run:
	dotnet run -c Release --project src/SignalHub

test:
	dotnet test

format:
	dotnet format

bench:
	dotnet run -c Release --project tests/SignalHub.Benchmarks -- load
