import { describe, expect, it } from 'vitest';
import { readDockerSettings, readSwarmSettings } from '../../src/providers/docker-labels.ts';

const defaults = { exposedByDefault: true, network: 'front' };

describe('readDockerSettings', () => {
  it.each<[string, Record<string, string>, object]>([
    ['defaults', {}, { enable: true, network: 'front', allowNonRunning: false }],
    ['enable', { 'traefik.enable': 'false' }, { enable: false }],
    ['enable in another case', { 'traefik.Enable': '0' }, { enable: false }],
    ['network', { 'traefik.docker.network': 'back' }, { network: 'back' }],
    ['an empty network', { 'traefik.docker.network': '' }, { network: 'front' }],
    ['non running', { 'traefik.docker.allownonrunning': 'true' }, { allowNonRunning: true }],
    ['ours', { 'edgeway.enable': 'false', 'edgeway.docker.network': 'x' }, { enable: false, network: 'x' }],
    ['ours before Traefik’s', { 'traefik.enable': 'true', 'edgeway.enable': 'false' }, { enable: false }],
    ['labels of others', { 'traefik.http.x': 'y', 'traefik.swarm.nope': 'x', 'com.example.enable': 'x' }, { enable: true }],
  ])('reads %s', (_, labels, expected) => {
    expect(readDockerSettings(labels, defaults)).toMatchObject(expected);
  });

  it.each<[string, Record<string, string>, string]>([
    ['a word nobody knows', { 'traefik.docker.netwrok': 'x' }, "did you mean 'network'?"],
    ['a word that only begins like one', { 'traefik.enabled': 'true' }, "did you mean 'enable'?"],
    ['a value that is none', { 'traefik.enable': 'yes' }, "The label traefik.enable: 'yes' is no boolean"],
    ['another root', { 'TRAEFIK.enable': 'true' }, "write 'traefik'"],
  ])('refuses %s', (_, labels, message) => {
    expect(() => readDockerSettings(labels, defaults)).toThrow(message);
  });
});

describe('readSwarmSettings', () => {
  it.each<[string, Record<string, string>, object]>([
    ['lbswarm', { 'traefik.swarm.lbswarm': 'true' }, { lbSwarm: true, network: 'front' }],
    ['network', { 'traefik.swarm.network': 'back' }, { lbSwarm: false, network: 'back' }],
    ['ours', { 'edgeway.swarm.network': 'back' }, { network: 'back' }],
  ])('reads %s', (_, labels, expected) => {
    expect(readSwarmSettings(labels, defaults)).toMatchObject({ ...expected, warnings: [] });
  });

  it('takes the old names, with a warning', () => {
    const { network, warnings } = readSwarmSettings({ 'traefik.docker.network': 'back' }, defaults);
    expect(network).toBe('back');
    expect(warnings[0]!.message).toContain('write traefik.swarm.*');
  });

  it('refuses old and new names at once', () => {
    const labels = { 'traefik.docker.lbswarm': 'true', 'traefik.swarm.network': 'front' };
    expect(() => readSwarmSettings(labels, defaults)).toThrow('write traefik.swarm.* only');
  });
});
